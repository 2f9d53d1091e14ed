//! Who may do what. Decides; looks at no repository and no request.

pub mod access;
pub mod accounts;
pub mod attempts;
pub mod certificate_keys;
pub mod certificate_names;
pub mod credentials;
pub mod error;
pub mod grants;
pub mod hashing;
pub mod htpasswd;
pub mod htpasswd_file;
pub mod issuer;
pub mod jwt;
pub mod key_set;
pub mod logins;
pub mod md5_crypt;
pub mod policy;
pub mod signer;
pub mod token_maker;
pub mod tokens;
