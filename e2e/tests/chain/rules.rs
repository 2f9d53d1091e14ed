//! What the API server refuses at once, with the words that the user reads.

use anyhow::{Result, ensure};
use e2e::{
    kubectl::{apply, get, kubectl},
    namespace::Namespace,
    object::{manifest, settled, until},
    process::{must_fail, run, run_with_input},
};

// operator 21, operator 57, operator 59, operator 83
#[test]
fn objects_that_cannot_work_are_refused_with_the_reason() -> Result<()> {
    let namespace = Namespace::create("e2e-rules")?;
    let volume = "{storage: {filesystem: {size: 1Gi}}}";
    let (forty, more) = ("a".repeat(40), "a".repeat(41));
    let label = "DNS-1035 label of at most 40 characters";
    for (name, spec, message) in [
        (more.as_str(), volume, label),
        ("phi-3.5", volume, label),
        ("9lives", volume, label),
        ("team", "{storage: {}}", "set exactly one of filesystem and ephemeral"),
        (
            "team",
            "{storage: {filesystem: {size: 1Gi}, ephemeral: {}}}",
            "set exactly one of filesystem and ephemeral",
        ),
        ("team", "{replicas: 2, storage: {filesystem: {size: 1Gi}}}", "accessMode ReadWriteMany"),
        ("team", "{replicas: 2, storage: {ephemeral: {}}}", "ephemeral storage allows one replica"),
        ("team", "{strorage: {filesystem: {size: 1Gi}}, storage: {ephemeral: {}}}", "strorage"),
        (
            "team",
            "{storage: {ephemeral: {}}, cache: {memory: {}, none: {}}}",
            "set exactly one of redis, memory and none",
        ),
        ("team", "{storage: {ephemeral: {}}, cache: {redis: {}}}", "set exactly one of managed and external"),
        (
            "team",
            "{storage: {ephemeral: {}}, cache: {memory: {maxSize: lots}}}",
            "maxSize must be a quantity",
        ),
        (
            "team",
            "{storage: {ephemeral: {}}, tls: {disabled: {}, selfSigned: {}}}",
            "set at most one of selfSigned, secretRef and disabled",
        ),
        (
            "team",
            "{storage: {ephemeral: {}}, tls: {selfSigned: {caLifetime: 3000h}}}",
            "caLifetime must be at least twice certificateLifetime",
        ),
        ("team", "{storage: {ephemeral: {}}, tls: {selfSigned: {caLifetime: 900d}}}", "caLifetime"),
        (
            "team",
            "{storage: {ephemeral: {}}, tls: {disabled: {}}, exposure: {service: {type: NodePort}}}",
            "tls.disabled is allowed behind a ClusterIP Service only",
        ),
        ("team", "{storage: {ephemeral: {}}, auth: {htpasswd: {}}}", "set users, secretRef or both"),
        (
            "team",
            "{storage: {ephemeral: {}}, auth: {htpasswd: {users: [{name: preg-x}]}}}",
            "names that start with preg- are the operator's own",
        ),
        (
            "team",
            "{storage: {ephemeral: {}}, exposure: {service: {nodePort: 30443}}}",
            "nodePort needs type NodePort",
        ),
        (
            "team",
            "{storage: {ephemeral: {}}, exposure: {service: {loadBalancerClass: a/b}}}",
            "loadBalancerClass needs type LoadBalancer",
        ),
        (
            "team",
            "{storage: {ephemeral: {}}, limits: {maxBlobSize: '0'}}",
            "maxBlobSize must be a quantity above 0",
        ),
        ("team", "{storage: {ephemeral: {}}, limits: {maxManifestSize: '1'}}", "maxManifestSize must be"),
        ("team", "{storage: {ephemeral: {}}, drainTimeout: 5}", "drainTimeout"),
    ] {
        match apply(namespace.name(), &manifest(name, spec)) {
            Ok(said) => anyhow::bail!("{name} {spec} was taken: {said}"),
            Err(error) => ensure!(format!("{error:#}").contains(message), "{name} {spec}: {error:#}"),
        }
    }
    apply(namespace.name(), &manifest(&forty, "{suspend: true, storage: {ephemeral: {}}}")).map(drop)
}

// operator 29, operator 86
#[test]
fn a_volume_grows_only_and_scale_obeys_the_rules() -> Result<()> {
    let namespace = Namespace::create("e2e-transitions")?;
    let sized = |size: &str| {
        manifest("team", &format!("{{suspend: true, storage: {{filesystem: {{size: {size}}}}}}}"))
    };
    apply(namespace.name(), &sized("2Gi"))?;
    let smaller = apply(namespace.name(), &sized("1Gi")).err().map(|error| format!("{error:#}"));
    ensure!(smaller.as_ref().is_some_and(|said| said.contains("size cannot shrink")), "{smaller:?}");
    apply(namespace.name(), &sized("2048Mi"))?;
    let said = must_fail(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=2"]))?;
    ensure!(said.contains("accessMode ReadWriteMany"), "{said}");
    run(&mut kubectl(&["-n", namespace.name(), "scale", "preg", "team", "--replicas=0"])).map(drop)
}

// operator 85: one-of fields can be switched there and back, by both ways of applying
#[test]
fn one_of_fields_are_switched_by_both_ways_of_applying() -> Result<()> {
    let namespace = Namespace::create("e2e-unions")?;
    for how in [&["apply", "-f", "-"][..], &["apply", "--server-side", "--force-conflicts", "-f", "-"]] {
        for spec in [
            "suspend: true, storage: {ephemeral: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {memory: {}}, tls: {disabled: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {none: {}}, tls: {selfSigned: {}}",
            "suspend: true, storage: {ephemeral: {}}, cache: {redis: {managed: {}}}, tls: {secretRef: {name: x}}",
            "suspend: true, storage: {ephemeral: {}}",
        ] {
            let mut command = kubectl(&["-n", namespace.name()]);
            run_with_input(command.args(how), &manifest("team", &format!("{{{spec}}}")))?;
        }
        let object = get(namespace.name(), &["preg", "team"])?;
        ensure!(
            object["spec"].get("cache").is_none() && object["spec"].get("tls").is_none(),
            "{}",
            object["spec"]
        );
    }
    Ok(())
}

// operator 87
#[test]
fn a_pod_template_that_hides_pods_from_the_operator_is_refused_by_condition() -> Result<()> {
    let namespace = Namespace::create("e2e-template")?;
    let labels = "{template: {metadata: {labels: {app.kubernetes.io/instance: other}}}}";
    apply(namespace.name(), &manifest("team", &format!("{{storage: {{ephemeral: {{}}}}, pod: {labels}}}")))?;
    let said = until(namespace.name(), "team", "Ready", "False/InvalidSpec")?;
    ensure!(said.contains("spec.pod.template") && said.contains("app.kubernetes.io/instance"), "{said}");
    Ok(())
}

// operator 84: an explicit null means absence
#[test]
fn explicit_nulls_are_absence() -> Result<()> {
    let namespace = Namespace::create("e2e-nulls")?;
    let nulls = "image: null, logging: null, cache: null, tls: null, auth: null, exposure: null, networkPolicy: null, \
                 limits: null, pod: null, drainTimeout: null";
    apply(
        namespace.name(),
        &manifest("team", &format!("{{storage: {{ephemeral: {{}}, filesystem: null}}, {nulls}}}")),
    )?;
    settled(namespace.name(), "team")?;
    let object = get(namespace.name(), &["preg", "team"])?;
    ensure!(object["spec"]["drainTimeout"] == "5m", "{}", object["spec"]);
    Ok(())
}

// operator 114: what a person sees at a glance
#[test]
fn kubectl_tells_at_a_glance() -> Result<()> {
    let namespace = Namespace::create("e2e-columns")?;
    apply(namespace.name(), &manifest("team", "{storage: {ephemeral: {}}, cache: {none: {}}}"))?;
    settled(namespace.name(), "team")?;
    let wide = run(&mut kubectl(&["-n", namespace.name(), "get", "preg", "-o", "wide"]))?;
    let (head, line) = wide.split_once('\n').unwrap_or_default();
    for column in ["READY", "REASON", "URL", "STORAGE", "REPLICAS", "AGE", "CERT-UNTIL", "VERSION"] {
        ensure!(head.contains(column), "no {column} in {head}");
    }
    for word in ["True", "AllReady", "https://team-registry.e2e-columns.svc", "ephemeral", "20"] {
        ensure!(line.contains(word), "no {word} in {line}");
    }
    let described = run(&mut kubectl(&["-n", namespace.name(), "describe", "preg", "team"]))?;
    ensure!(described.contains("CertificateIssued") && described.contains("Status:"), "{described}");
    Ok(())
}

// The examples of this repository are taken by the API server as they are.
#[test]
fn every_example_is_valid() -> Result<()> {
    let namespace = Namespace::create("e2e-examples")?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let manifest = std::fs::read_to_string(entry?.path())?;
        let dry = ["-n", namespace.name(), "apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        run_with_input(&mut kubectl(&dry), &manifest)?;
        count += 1;
    }
    ensure!(count >= 3, "only {count} examples");
    Ok(())
}
