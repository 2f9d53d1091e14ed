//! Handlers of uploads. Locations are relative; `Range` counts the whole upload and has no unit.

use http::{HeaderMap, HeaderName, StatusCode, header};
use hyper::body::Body as _;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::{access::Action, policy::Rights},
    http::{
        door::Asked,
        error::ApiError,
        headers::{self, CONTENT_DIGEST, Response},
        inbound::Inbound,
        mounts::Mount,
    },
    oci::{
        byte_range,
        digest::{Algorithm, Digest},
        error::ParseError,
        error_code::ErrorCode,
        repository_name::RepositoryName,
    },
    registry::{error::RegistryError, quota::Room, service::Registry, upload_sink::Received, uploads::Chunk},
};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST`: mount, whole blob at once, or a session.
pub async fn begin(
    registry: &Registry,
    name: &RepositoryName,
    asked: &Asked,
    body: &mut Inbound,
    rights: Rights<'_>,
) -> Result<Response, ApiError> {
    match mount(registry, name, asked, rights).await? {
        Some(digest) => Ok(created(name, &digest)),
        None => send(registry, name, asked, body).await,
    }
}

/// Takes the blob from another repository, if that is asked for. What one may not pull is answered as what is not there.
async fn mount(
    registry: &Registry,
    name: &RepositoryName,
    asked: &Asked,
    rights: Rights<'_>,
) -> Result<Option<Digest>, ApiError> {
    let Some(digest) = asked.query.get("mount") else { return Ok(None) };
    let digest: Digest = digest.parse().map_err(ApiError::parameter("mount"))?;
    let mounted = match asked.query.get("from") {
        Some(from) => mount_from(registry, name, asked, (&digest, from), rights).await?,
        None => mount_from_any(registry, name, asked, &digest, rights).await?,
    };
    Ok(mounted.then_some(digest))
}

async fn mount_from(
    registry: &Registry,
    name: &RepositoryName,
    asked: &Asked,
    (digest, from): (&Digest, &str),
    rights: Rights<'_>,
) -> Result<bool, ApiError> {
    let Ok(from) = from.parse::<RepositoryName>() else { return Ok(false) };
    let allowed = rights.may(Action::Pull, from.as_str());
    asked.mounting.is(Some(Mount { from: from.clone(), digest: digest.clone(), allowed }));
    if !allowed {
        return Ok(false);
    }
    let mounted = registry.mount(name, digest, &from).await?;
    if !mounted {
        asked.mounting.is(None);
    }
    Ok(mounted)
}

async fn mount_from_any(
    registry: &Registry,
    name: &RepositoryName,
    asked: &Asked,
    digest: &Digest,
    rights: Rights<'_>,
) -> Result<bool, ApiError> {
    let may = |from: &str| rights.may(Action::Pull, from);
    let hides = !rights.everywhere(Action::Pull);
    let found = registry.mount_from_any(name, digest, may, hides).await?;
    let elsewhere = found.clone().filter(|from| from != name);
    asked.mounting.is(elsewhere.map(|from| Mount { from, digest: digest.clone(), allowed: true }));
    Ok(found.is_some())
}

async fn send(
    registry: &Registry,
    name: &RepositoryName,
    asked: &Asked,
    body: &mut Inbound,
) -> Result<Response, ApiError> {
    let digest =
        asked.query.get("digest").map(|digest| digest.parse().map_err(ApiError::parameter("digest")));
    let digest: Option<Digest> = digest.transpose()?;
    let hint = asked.query.get("digest-algorithm").map(|word| {
        let unknown = || ApiError::parameter("digest-algorithm")(ParseError::Digest(word.to_owned()));
        Algorithm::parse(word).ok_or_else(unknown)
    });
    let algorithm = digest.as_ref().map(Digest::algorithm).or(hint.transpose()?);
    check_length(asked, registry.room(name).await?, body, 0)?;
    let Some(digest) = digest else {
        let id = registry.begin_upload(name, algorithm).await?;
        return Ok(Upload { registry, name, id }.answer(StatusCode::ACCEPTED, 0));
    };
    let leftover = registry.begin_leftover(name, algorithm).await?;
    let upload = Upload { registry, name, id: leftover.id() };
    match upload.last(asked, body).await {
        Ok(received) => {
            let finished = leftover.finish(&digest, received).await;
            finished.map(|()| created(name, &digest)).map_err(|error| upload.explain(error))
        }
        Err(error) => {
            leftover.remove().await;
            Err(error)
        }
    }
}

fn created(name: &RepositoryName, digest: &Digest) -> Response {
    headers::empty(
        StatusCode::CREATED,
        [
            (header::LOCATION, format!("/v2/{name}/blobs/{digest}")),
            (CONTENT_DIGEST, digest.to_string()),
            (header::CONTENT_LENGTH, "0".to_owned()),
        ],
    )
}

/// Refuses a body that is known to be too large before it is read.
fn check_length(asked: &Asked, room: Option<Room>, body: &Inbound, received: u64) -> Result<(), ApiError> {
    let announced = received.saturating_add(body.size_hint().lower());
    if let Some(room) = room {
        room.fit(announced)?;
    }
    match asked.settings.max_blob {
        Some(limit) if announced > limit => Err(RegistryError::BlobTooLarge { limit }.into()),
        _ => Ok(()),
    }
}

/// A session that is spoken to.
pub struct Upload<'a> {
    /// The domain.
    pub registry: &'a Registry,
    /// Its repository.
    pub name: &'a RepositoryName,
    /// Its id.
    pub id: Uuid,
}

impl Upload<'_> {
    fn location(&self) -> String {
        format!("/v2/{}/blobs/uploads/{}", self.name, self.id)
    }

    fn answer(&self, status: StatusCode, size: u64) -> Response {
        let mut response = headers::empty(
            status,
            [
                (header::LOCATION, self.location()),
                (header::RANGE, range(size)),
                (UPLOAD_ID, self.id.to_string()),
            ],
        );
        if status != StatusCode::NO_CONTENT {
            response.headers_mut().insert(header::CONTENT_LENGTH, 0.into());
        }
        response
    }

    /// `GET`: how much is there.
    pub async fn status(&self) -> Result<Response, ApiError> {
        let size = self.registry.upload_size(self.name, self.id).await?;
        Ok(self.answer(StatusCode::NO_CONTENT, size))
    }

    /// `PATCH`: more bytes.
    pub async fn append(&self, asked: &Asked, body: &mut Inbound) -> Result<Response, ApiError> {
        let chunk = self.chunk(asked, body).await?;
        let appended = self.registry.append_upload(self.name, self.id, chunk, body.frames()).await;
        let size = appended.map_err(|error| self.explain(error))?;
        Ok(self.answer(StatusCode::ACCEPTED, size))
    }

    /// `PUT`: perhaps the last bytes, and the digest.
    pub async fn finish(&self, asked: &Asked, body: &mut Inbound) -> Result<Response, ApiError> {
        self.registry.upload_size(self.name, self.id).await?;
        let digest = asked.query.get("digest").unwrap_or_default();
        let digest: Digest = digest.parse().map_err(ApiError::parameter("digest"))?;
        self.receive_and_finish(&digest, asked, body).await
    }

    /// `DELETE`: forget it.
    pub async fn cancel(&self) -> Result<Response, ApiError> {
        self.registry.cancel_upload(self.name, self.id).await?;
        Ok(headers::empty(StatusCode::NO_CONTENT, []))
    }

    async fn receive_and_finish(
        &self,
        digest: &Digest,
        asked: &Asked,
        body: &mut Inbound,
    ) -> Result<Response, ApiError> {
        let received = self.last(asked, body).await?;
        let finished = self.registry.finish_upload(self.name, self.id, digest, received).await;
        finished.map_err(|error| self.explain(error))?;
        Ok(created(self.name, digest))
    }

    /// The last bytes, if there are any.
    async fn last(&self, asked: &Asked, body: &mut Inbound) -> Result<Option<Received>, ApiError> {
        if body.is_end_stream() {
            return Ok(None);
        }
        let chunk = self.chunk(asked, body).await?;
        let received = self.registry.receive_upload(self.name, self.id, chunk, body.frames()).await;
        received.map(Some).map_err(|error| self.explain(error))
    }

    /// What the headers say about the body, if they do not contradict each other.
    async fn chunk(&self, asked: &Asked, body: &Inbound) -> Result<Chunk, ApiError> {
        let received = self.registry.upload_size(self.name, self.id).await?;
        let range = declared(&asked.parts.headers);
        let range = range.map(|range| range.ok_or(RegistryError::OutOfOrder { received })).transpose();
        let range = range.map_err(|error| self.explain(error))?;
        if let (Some((first, last)), Some(length)) = (range, body.size_hint().exact())
            && first == received
            && (last - first).saturating_add(1) != length
        {
            return Err(ApiError::bad(ErrorCode::SizeInvalid, "Content-Range and Content-Length disagree")
                .detail(json!({ "header": "Content-Range" })));
        }
        let room = self.registry.room(self.name).await?;
        check_length(asked, room, body, received)?;
        let streamed = body.size_hint().exact().is_none();
        Ok(Chunk { range, limit: asked.settings.max_blob, room, streamed })
    }

    /// A refusal for the order of chunks says where to go on.
    fn explain(&self, error: RegistryError) -> ApiError {
        match error {
            RegistryError::OutOfOrder { received } => ApiError::from(error)
                .header(header::LOCATION, self.location())
                .header(header::RANGE, range(received))
                .header(UPLOAD_ID, self.id.to_string()),
            other => other.into(),
        }
    }
}

/// What `Content-Range` says: several of them, or what cannot be read, are there and say nothing that could be followed.
fn declared(headers: &HeaderMap) -> Option<Option<(u64, u64)>> {
    let mut given = headers.get_all(header::CONTENT_RANGE).iter();
    let first = given.next()?;
    let only = given.next().is_none().then_some(first);
    Some(only.and_then(|range| byte_range::declared(range.to_str().ok()?)))
}

/// `0-0` also when nothing is there: there is no way to say that.
fn range(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}
