//! What the types cannot say about `redis`.

use crate::{
    check::{Problems, is_address},
    schema::{Redis, RedisTls},
};

/// Keys and what is wrong with them.
pub fn check(redis: &Redis) -> Problems {
    let mut problems = Vec::new();
    let mut wrong = |key, message: String| problems.push((key, message));
    if redis.addrs.is_empty() {
        wrong("redis.addrs", "at least one address".to_owned());
    }
    for address in redis.addrs.iter().filter(|address| !is_address(address)) {
        wrong("redis.addrs", format!("{address:?} is not host:port"));
    }
    if redis.username.is_some() && redis.usernamefile.is_some() {
        wrong("redis.usernamefile", "either username or usernamefile".to_owned());
    }
    if redis.addrs.len() > 1 && redis.mastername.is_none() && redis.db != 0 {
        let message = "several addresses without mastername are a cluster, which has only database 0";
        wrong("redis.db", message.to_owned());
    }
    problems.extend(sentinels(redis));
    problems.extend(redis.tls.iter().flat_map(tls));
    problems
}

fn sentinels(redis: &Redis) -> Problems {
    let mut problems = Vec::new();
    let keys = [
        ("redis.sentinelusername", redis.sentinelusername.is_some()),
        ("redis.sentinelusernamefile", redis.sentinelusernamefile.is_some()),
        ("redis.sentinelpasswordfile", redis.sentinelpasswordfile.is_some()),
    ];
    for (key, _) in keys.into_iter().filter(|(_, there)| *there && redis.mastername.is_none()) {
        problems.push((key, "means nothing without mastername".to_owned()));
    }
    if redis.mastername.as_ref().is_some_and(String::is_empty) {
        problems.push(("redis.mastername", "must not be empty".to_owned()));
    }
    if redis.sentinelusername.is_some() && redis.sentinelusernamefile.is_some() {
        let message = "either sentinelusername or sentinelusernamefile";
        problems.push(("redis.sentinelusernamefile", message.to_owned()));
    }
    problems
}

fn tls(tls: &RedisTls) -> Problems {
    let mut problems = Vec::new();
    if tls.clientcas.is_empty() {
        let message = "name the certificates of the authorities that signed the Redis server's certificate; \
                       the server does not use the platform's";
        problems.push(("redis.tls", format!("clientcas is missing: {message}")));
    }
    if tls.certificate.is_some() != tls.key.is_some() {
        problems.push(("redis.tls", "certificate and key go together".to_owned()));
    }
    problems
}
