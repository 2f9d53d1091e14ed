//! Names of children. Every one is `<name>-<word>` or `<name>.<user>`; nothing is ever truncated.

/// Names of the children of one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Namespace of the object and its children.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

impl Names {
    /// Deployment, public Service, ServiceAccount and NetworkPolicy.
    pub fn registry(&self) -> String {
        format!("{}-registry", self.name)
    }
    /// Service of the admin port.
    pub fn admin(&self) -> String {
        format!("{}-admin", self.name)
    }
    /// ConfigMap of the boot file, named by its content.
    pub fn config(&self, hash: &str) -> String {
        format!("{}-config-{hash}", self.name)
    }
    /// ConfigMap of the settings that running pods take over.
    pub fn live(&self) -> String {
        format!("{}-live", self.name)
    }
    /// The same for pods that have a token server in the place of accounts, named by its file.
    pub fn live_of_tokens(&self, hash: &str) -> String {
        format!("{}-livetokens-{hash}", self.name)
    }
    /// PersistentVolumeClaim.
    pub fn data(&self) -> String {
        format!("{}-data", self.name)
    }
    /// Secret of the merged password file.
    pub fn htpasswd(&self) -> String {
        format!("{}-htpasswd", self.name)
    }
    /// Secret of a generated account.
    pub fn user(&self, user: &str) -> String {
        format!("{}.{user}", self.name)
    }
    /// Secret for pulls.
    pub fn pull(&self) -> String {
        format!("{}-pull", self.name)
    }
    /// Secret of the CA.
    pub fn ca(&self) -> String {
        format!("{}-ca", self.name)
    }
    /// Secret of the served certificate.
    pub fn tls(&self) -> String {
        format!("{}-tls", self.name)
    }
    /// ConfigMap of the CA's certificate.
    pub fn trust(&self) -> String {
        format!("{}-trust", self.name)
    }
    /// ConfigMap of the CA of clients.
    pub fn clients(&self) -> String {
        format!("{}-clients", self.name)
    }
    /// Deployment, Service and NetworkPolicy of the managed Redis.
    pub fn redis(&self) -> String {
        format!("{}-redis", self.name)
    }
    /// Secret of the managed Redis' password and configuration.
    pub fn redis_auth(&self) -> String {
        format!("{}-redisauth", self.name)
    }
    /// Secret of the keys that sign tokens.
    pub fn token_keys(&self) -> String {
        format!("{}-tokenkeys", self.name)
    }
    /// ConfigMap of what verifies the tokens of a token server, named by the file in it.
    pub fn tokens(&self, hash: &str) -> String {
        format!("{}-tokens-{hash}", self.name)
    }
    /// Pod that tries what the registry's pods are to run.
    pub fn trial(&self) -> String {
        format!("{}-trial", self.name)
    }
    /// Whether an object of this name can be a child: `<name>-<word>`, a boot file, keys of a token server or
    /// `<name>.<user>`. A copy that somebody made under a name of their own is not.
    pub fn is_child(&self, name: &str) -> bool {
        let words = [
            "registry",
            "admin",
            "live",
            "htpasswd",
            "pull",
            "ca",
            "tls",
            "trust",
            "clients",
            "redis",
            "redisauth",
            "tokenkeys",
            "trial",
        ];
        let Some(rest) = name.strip_prefix(&self.name) else { return false };
        let word = rest.strip_prefix('-').unwrap_or_default();
        let hashed = ["config-", "tokens-", "livetokens-"].iter().any(|first| word.starts_with(first));
        rest.starts_with('.') || words.contains(&word) || hashed
    }

    /// The name under which other namespaces find the Service.
    pub fn service_host(&self) -> String {
        format!("{}.{}.svc", self.registry(), self.namespace)
    }
    /// Every host name under which the Service is reached.
    pub fn service_hosts(&self) -> Vec<String> {
        let (service, namespace) = (self.registry(), &self.namespace);
        [
            "",
            &format!(".{namespace}"),
            &format!(".{namespace}.svc"),
            &format!(".{namespace}.svc.cluster.local"),
        ]
        .iter()
        .map(|suffix| format!("{service}{suffix}"))
        .collect()
    }
}
