//! Names and selectors, and that builders have nothing but their arguments.

use std::collections::BTreeSet;

use operator::private_registry::desired::child::{Component, selector};
use proptest::prelude::*;

use crate::sample::{SIX_LINES, every_child, key, model};

const NAME: &str = "[a-z]([-a-z0-9]{0,38}[a-z0-9])?";

// operator 19
#[test]
fn selectors_are_name_instance_and_component() {
    let keys = ["app.kubernetes.io/component", "app.kubernetes.io/instance", "app.kubernetes.io/name"];
    let model = model("team", SIX_LINES);
    for component in [Component::Registry, Component::Redis] {
        let found: BTreeSet<String> =
            selector(&model, component).as_object().unwrap().keys().cloned().collect();
        assert_eq!(found, keys.map(str::to_owned).into());
    }
    for child in every_child(&model) {
        for at in ["/spec/selector/matchLabels", "/spec/podSelector/matchLabels"] {
            let labels = child.pointer(at).and_then(|labels| labels.as_object());
            assert!(labels.is_none_or(|labels| labels.len() == 3), "{}", key(&child));
        }
    }
}

proptest! {
    // operator 4: the same model gives the same bytes
    #[test]
    fn builders_are_deterministic(name in NAME) {
        let text = |name: &str| serde_json::to_string(&every_child(&model(name, SIX_LINES))).unwrap();
        prop_assert_eq!(text(&name), text(&name));
    }

    // operator 57: names of at most 40 characters give children whose names are labels
    #[test]
    fn child_names_fit(name in NAME) {
        for child in every_child(&model(&name, SIX_LINES)) {
            let child = child["metadata"]["name"].as_str().unwrap();
            prop_assert!(child.len() <= 63, "{child}");
        }
    }

    // operator 60: no child of one registry is called like a child of another
    #[test]
    fn two_registries_share_no_name(a in NAME, b in NAME) {
        prop_assume!(a != b);
        let names = |name: &str| every_child(&model(name, SIX_LINES)).iter().map(key).collect::<BTreeSet<_>>();
        prop_assert!(names(&a).is_disjoint(&names(&b)));
    }
}

// operator 60: the names that collide elsewhere
#[test]
fn a_registry_called_like_a_child_of_another_shares_nothing_with_it() {
    for (one, other) in
        [("a", "a-redis"), ("a", "a-registry"), ("team", "team-data"), ("team", "team-config")]
    {
        let names =
            |name: &str| every_child(&model(name, SIX_LINES)).iter().map(key).collect::<BTreeSet<_>>();
        assert!(names(one).is_disjoint(&names(other)), "{one} {other}");
    }
}
