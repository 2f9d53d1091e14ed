//! Status: a pure function of what was applied and read, written only when it differs. One file for each group of
//! conditions; `compute` puts them together, `write` alone holds a client.

pub mod compute;
pub mod degraded;
pub mod facts;
pub mod logins;
pub mod news;
pub mod observed;
pub mod pace;
pub mod parts;
pub mod pods;
pub mod storage;
pub mod verdict;
pub mod workload;
pub mod write;
