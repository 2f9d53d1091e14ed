//! Amounts as Kubernetes writes them, and resources of a container.

use std::{borrow::Cow, collections::BTreeMap};

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// An amount: `20Gi`, `500m`, or a plain number, with quotes or without.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub struct Quantity(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(i64),
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        }))
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// What a container asks for, and what it may use at most.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("!has(self.limits) || self.limits.all(name, isQuantity(string(self.limits[name])))")
        .message("each of limits must be a quantity, such as 500m or 1Gi"),
    validation = Rule::new("!has(self.requests) || self.requests.all(name, isQuantity(string(self.requests[name])))")
        .message("each of requests must be a quantity, such as 500m or 1Gi"))]
pub struct Resources {
    /// What it may use at most, by resource: `cpu`, `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 8))]
    pub limits: Option<BTreeMap<String, Quantity>>,
    /// What a node must have free for it, by resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 8))]
    pub requests: Option<BTreeMap<String, Quantity>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    // What the schema lets through must be readable: one object that is not stops at InvalidSpec.
    #[test]
    fn numbers_are_quantities_with_and_without_quotes() {
        let read: Resources =
            serde_saphyr::from_str("{limits: {cpu: 2, memory: 1Gi}, requests: {cpu: '2'}}").unwrap();
        let (limits, requests) = (read.limits.unwrap(), read.requests.unwrap());
        assert_eq!((limits["cpu"].0.as_str(), limits["memory"].0.as_str()), ("2", "1Gi"));
        assert_eq!(requests["cpu"], limits["cpu"]);
        assert_eq!(serde_json::to_string(&limits).unwrap(), r#"{"cpu":"2","memory":"1Gi"}"#);
    }
}
