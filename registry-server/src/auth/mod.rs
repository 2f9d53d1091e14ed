//! Who may do what. Decides; looks at no repository and no request.

pub mod access;
pub mod accounts;
pub mod attempts;
pub mod credentials;
pub mod error;
pub mod htpasswd;
pub mod htpasswd_file;
pub mod md5_crypt;
pub mod policy;
