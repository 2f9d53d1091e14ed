//! Who gives tokens, as the server reads it: the registry itself, or a token server.

use registry_config::{
    duration::GoDuration,
    schema::{BuiltIn, Token},
};

use crate::{
    crd::token::{BuiltInTokens, TokenServer},
    private_registry::{
        desired::{
            config_maps::content_hash,
            server_config::TOKENS,
            token_keys::{KEY, OTHER},
        },
        model::Model,
    },
};

/// `auth.token.builtin` of the boot file.
pub fn built_in(tokens: &BuiltInTokens) -> BuiltIn {
    BuiltIn {
        key: format!("{TOKENS}/{KEY}").into(),
        previous: Some(format!("{TOKENS}/{OTHER}").into()),
        lifetime: GoDuration::from_secs(tokens.lifetime.seconds()),
        realm: None,
    }
}

/// `auth.token` of the boot file.
pub fn token_server(server: &TokenServer) -> Token {
    let file = Some(format!("{TOKENS}/{}", file_of(server)).into());
    let (jwks, rootcertbundle) = if server.jwks_ref.is_some() { (file, None) } else { (None, file) };
    Token {
        realm: server.realm.clone(),
        service: server.service.clone(),
        issuer: server.issuer.clone(),
        rootcertbundle,
        jwks,
        signingalgorithms: vec![],
    }
}

/// The file of what verifies the tokens of a server. Another server has another file: the last good keys of the one before
/// never count for it.
pub fn file_of(server: &TokenServer) -> String {
    let kind = if server.jwks_ref.is_some() { "jwks" } else { "pem" };
    format!("{}.{kind}", content_hash(&server.issuer))
}

/// ConfigMap of the settings that the pods take over. Pods that stay for now, and let others in, have another one: where
/// a token server decides there may be no rules, and accounts, or those of another token server, could do everything.
pub fn live_of(model: &Model) -> String {
    let of_tokens = |server| model.names.live_of_tokens(&content_hash(&file_of(server)));
    model.token_server().map_or_else(|| model.names.live(), of_tokens)
}

/// The ConfigMap of that file: each file has its own, which goes when the last pods that were started with it have gone.
pub fn map_of(model: &Model, server: &TokenServer) -> String {
    model.names.tokens(&content_hash(&file_of(server)))
}
