//! What only the registry knows of itself, asked of its metrics: whether it reaches the Redis that was made for it (what is
//! between them, such as a NetworkPolicy of the user's, is not between the operator and either), how full its volume is,
//! and whether what it finds there is its own store.

mod metrics;

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

/// Port of probes and metrics, on every pod.
const ADMIN: u16 = 5001;

/// What a registry says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Whether Redis answers it; nothing, while it had no reason to speak to Redis.
    pub redis: Option<bool>,
    /// What is wrong with its store.
    pub trouble: Option<Trouble>,
    /// How full the file system of its store is.
    pub filled: Option<Filled>,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not the one that the registry had.
    Wrong,
    /// It is gone, or does not answer.
    Away,
}

/// A file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filled {
    /// What is taken of it.
    pub used: f64,
    /// What it holds.
    pub capacity: f64,
}

/// What a pod behind the Service of probes and metrics says.
pub async fn through(admin: &Value) -> Option<Told> {
    let address: IpAddr = admin["spec"]["clusterIP"].as_str()?.parse().ok()?;
    let port = u16::try_from(admin["spec"]["ports"][0]["port"].as_i64()?).ok()?;
    ask((address, port).into()).await
}

/// What the first of these pods says that answers: while none is ready, the Service leads to none.
pub async fn directly(pods: &[Value]) -> Option<Told> {
    let address = |pod: &Value| -> Option<IpAddr> {
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            return None;
        }
        let containers = pod["status"]["containerStatuses"].as_array()?;
        let runs = |one: &Value| one["name"] == "registry" && one["state"]["running"].is_object();
        containers.iter().find(|one| runs(one))?;
        pod["status"]["podIP"].as_str()?.parse().ok()
    };
    let asked = pods.iter().filter_map(address).map(|address| ask((address, ADMIN).into()));
    futures::future::join_all(asked).await.into_iter().flatten().next()
}

async fn ask(address: SocketAddr) -> Option<Told> {
    metrics::read(address).await.map(|text| told(&text))
}

fn told(text: &str) -> Told {
    let value = |series: &str| metrics::value(text, series);
    let troubled = |kind| {
        let series = format!("registry_store_trouble{{kind=\"{kind}\"}}");
        value(&series).is_some_and(|troubled| troubled > 0.0)
    };
    let trouble = match troubled("wrong") {
        true => Some(Trouble::Wrong),
        false => (troubled("gone") || troubled("silent")).then_some(Trouble::Away),
    };
    let filled = value("registry_store_used_bytes").zip(value("registry_store_capacity_bytes"));
    Told {
        redis: value("redis_up").map(|up| up > 0.0),
        trouble,
        filled: filled.map(|(used, capacity)| Filled { used, capacity }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// What is understood of a pod whose metrics are `body`.
    async fn said(body: &'static str) -> Option<Told> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let count = stream.read(&mut request).await.unwrap();
            assert!(request[..count].starts_with(b"GET /metrics HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        through(&json!({"spec": {"clusterIP": "127.0.0.1", "ports": [{"port": port}]}})).await
    }

    // operator 79
    #[tokio::test]
    async fn what_the_registry_says_of_its_redis_counts() {
        let redis = async |body| said(body).await.unwrap().redis;
        assert_eq!(redis("# TYPE redis_up gauge\nredis_up 1\n").await, Some(true));
        assert_eq!(redis("redis_up 0\nredis_writes_refused_total 1\n").await, Some(false));
        assert_eq!(redis("registry_requests_total 1\n").await, None);
    }

    #[tokio::test]
    async fn a_pod_that_cannot_be_asked_says_nothing() {
        assert_eq!(through(&json!({"spec": {"clusterIP": "None", "ports": [{"port": 5001}]}})).await, None);
        let pod = |state: &str| {
            json!({"status": {"podIP": "192.0.2.1", "containerStatuses":
            [{"name": "registry", "state": {state: {}}}]}})
        };
        assert_eq!(directly(&[pod("waiting"), json!({"status": {}})]).await, None);
    }

    // registry ST3
    #[test]
    fn what_the_registry_says_of_its_store_counts() {
        let series = |wrong: u8, gone: u8, silent: u8| {
            format!(
                "registry_store_trouble{{kind=\"wrong\"}} {wrong}\nregistry_store_trouble{{kind=\"gone\"}} {gone}\n\
                 registry_store_trouble{{kind=\"silent\"}} {silent}\n"
            )
        };
        for (text, expected) in [
            (series(0, 0, 0), None),
            (series(1, 0, 0), Some(Trouble::Wrong)),
            (series(0, 1, 0), Some(Trouble::Away)),
            (series(0, 0, 1), Some(Trouble::Away)),
            (String::new(), None),
        ] {
            assert_eq!(told(&text).trouble, expected, "{text}");
        }
        let filled = told("registry_store_used_bytes 3145728\nregistry_store_capacity_bytes 1.5e9\n").filled;
        assert_eq!(filled, Some(Filled { used: 3_145_728.0, capacity: 1.5e9 }));
        assert_eq!(told("registry_store_used_bytes 1\n").filled, None);
    }
}
