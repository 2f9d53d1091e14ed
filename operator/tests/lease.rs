//! Leadership against an API server in memory, under a clock of the test's own: at most one leads, and whoever cannot
//! renew stops before another may start.

#![expect(clippy::unwrap_used, reason = "what cannot be read or built must fail the test")]

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::{Api, Client, client::Body};
use metrics_exporter_prometheus::PrometheusBuilder;
use operator::cluster::{lease::Candidate, pulse::Pulse};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tower::service_fn;

/// The API server: one Lease, and how long it takes to answer.
#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    delay: Duration,
    renewed: Option<Instant>,
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        Client::new(service, "operators")
    }

    /// From now on every answer takes this long.
    fn takes(&self, delay: Duration) {
        self.0.lock().unwrap().delay = delay;
    }

    fn renewed(&self) -> Instant {
        self.0.lock().unwrap().renewed.unwrap()
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let delay = self.0.lock().unwrap().delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let (head, body) = request.into_parts();
        let sent = body.collect().await.unwrap().to_bytes();
        let (status, value) = self.0.lock().unwrap().act(&head.method, &sent);
        let body = Body::from(serde_json::to_vec(&value).unwrap());
        Ok(Response::builder().status(status).header("content-type", "application/json").body(body).unwrap())
    }
}

impl State {
    fn act(&mut self, method: &Method, sent: &[u8]) -> (StatusCode, Value) {
        let refused = |code: u16, reason: &str| {
            let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": reason});
            (StatusCode::from_u16(code).unwrap(), body)
        };
        if *method == Method::GET {
            return self
                .lease
                .clone()
                .map_or_else(|| refused(404, "NotFound"), |lease| (StatusCode::OK, lease));
        }
        let mut lease: Value = serde_json::from_slice(sent).unwrap();
        let current = self.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        if current.unwrap_or_default() != lease["metadata"]["resourceVersion"] {
            return refused(409, "Conflict");
        }
        self.version += 1;
        lease["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.renewed = Some(Instant::now());
        self.lease = Some(lease.clone());
        (StatusCode::OK, lease)
    }
}

struct Running {
    led: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

fn start(server: &Server, identity: &str) -> Running {
    let candidate = Candidate {
        api: Api::namespaced(server.client(), "operators"),
        name: "l".into(),
        identity: identity.into(),
    };
    let (leader, led) = watch::channel(false);
    let task = tokio::spawn(candidate.run(leader, Arc::new(Pulse::default())));
    Running { led, task }
}

// operator 67: at most one leads; the next one starts when the lease has ended by its own clock
#[tokio::test(start_paused = true)]
async fn the_next_leader_waits_until_the_lease_has_ended() {
    let server = Server::default();
    let mut first = start(&server, "first");
    first.led.wait_for(|led| *led).await.unwrap();
    let mut second = start(&server, "second");
    sleep(Duration::from_secs(120)).await;
    assert!(!*second.led.borrow() && !first.task.is_finished());
    first.task.abort();
    let last = server.renewed();
    second.led.wait_for(|led| *led).await.unwrap();
    assert!(last.elapsed() >= Duration::from_secs(15), "{:?}", last.elapsed());
    assert!(last.elapsed() < Duration::from_secs(25), "{:?}", last.elapsed());
}

// operator 67
#[tokio::test(start_paused = true)]
async fn a_leader_outlives_a_short_outage_and_stops_before_its_lease_ends() {
    let server = Server::default();
    let mut leader = start(&server, "first");
    leader.led.wait_for(|led| *led).await.unwrap();
    // Whatever the moment within the pause between two renewals at which it begins.
    for moment in [0, 500, 1000, 1500, 1900] {
        sleep(Duration::from_millis(moment)).await;
        server.takes(Duration::from_secs(3600));
        sleep(Duration::from_secs(8)).await;
        server.takes(Duration::ZERO);
        sleep(Duration::from_secs(60)).await;
        assert!(!leader.task.is_finished(), "8 s without an answer cost the leadership");
    }

    server.takes(Duration::from_secs(3600));
    let last = server.renewed();
    leader.task.await.unwrap();
    assert!(last.elapsed() < Duration::from_secs(15), "{:?}", last.elapsed());
}

// Leadership that is given back is taken up at once.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_at_once() {
    let server = Server::default();
    let mut first = start(&server, "first");
    first.led.wait_for(|led| *led).await.unwrap();
    let mut second = start(&server, "second");
    sleep(Duration::from_secs(10)).await;
    first.task.abort();
    let api = Api::namespaced(server.client(), "operators");
    Candidate { api, name: "l".into(), identity: "first".into() }.release().await.unwrap();
    let given = Instant::now();
    second.led.wait_for(|led| *led).await.unwrap();
    assert!(given.elapsed() < Duration::from_secs(3), "{:?}", given.elapsed());
}

// operator 68: one process says that it leads, and the one that waits says that it does not
#[tokio::test(start_paused = true)]
async fn who_leads_says_so_in_its_metrics() {
    let server = Server::default();
    let (one, other) = (PrometheusBuilder::new().build_recorder(), PrometheusBuilder::new().build_recorder());
    let said = || (one.handle().render(), other.handle().render());
    let ours = metrics::set_default_local_recorder(&one);
    let mut first = start(&server, "first");
    first.led.wait_for(|led| *led).await.unwrap();
    drop(ours);
    let _theirs = metrics::set_default_local_recorder(&other);
    let mut second = start(&server, "second");
    sleep(Duration::from_secs(10)).await;
    let (leader, standby) = said();
    assert!(
        leader.contains("preg_leading 1\n") && standby.contains("preg_leading 0\n"),
        "{leader} {standby}"
    );
    first.task.abort();
    second.led.wait_for(|led| *led).await.unwrap();
    assert!(said().1.contains("preg_leading 1\n"), "{}", said().1);
}
