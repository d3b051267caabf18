//! What a server answered to requests of object_store.
//!
//! object_store keeps code and status of an answer in types of its own that it
//! does not give out; most of them end as `Error::Generic`. So its connections
//! are watched: a request that carries [`Responses`] leaves there what came back.

use super::failure::describe_response;
use super::redact::element;
use bytes::Bytes;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What came back to the tries of a request; clones are of the same request.
#[derive(Debug, Clone, Default)]
pub struct Responses(Arc<Mutex<Tries>>);

#[derive(Debug, Default)]
struct Tries {
    number: u32,
    last: Option<FailedResponse>,
}

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedResponse {
    /// Of HTTP.
    pub status: u16,
    /// `Code` of the XML body.
    pub code: Option<String>,
    /// Its `Message`.
    pub message: Option<String>,
}

impl fmt::Display for FailedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_response(self.code.as_deref(), self.message.as_deref(), self.status))
    }
}

impl Responses {
    /// How often the request was sent.
    pub fn tries(&self) -> u32 {
        self.with(|tries| tries.number)
    }

    /// The last answer, if it was no success; none if there was no response.
    pub fn failed(&self) -> Option<FailedResponse> {
        self.with(|tries| tries.last.clone())
    }

    fn with<T>(&self, take: impl FnOnce(&mut Tries) -> T) -> T {
        take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// object_store's own connections, watched.
#[derive(Debug)]
pub(super) struct Watching;

impl HttpConnector for Watching {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Watched(ReqwestConnector::default().connect(options)?)))
    }
}

#[derive(Debug)]
struct Watched(HttpClient);

#[async_trait::async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(answers) = request.extensions().get::<Responses>().cloned() else {
            return self.0.execute(request).await;
        };
        answers.with(|tries| {
            tries.number += 1;
            tries.last = None;
        });
        let answer = self.0.execute(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        // What refuses is small, and object_store reads it whole, too.
        let body: Bytes = body.bytes().await?;
        let text = String::from_utf8_lossy(&body);
        let part = |name| element(&text, name).map(str::to_owned);
        let failed =
            FailedResponse { status: head.status.as_u16(), code: part("Code"), message: part("Message") };
        answers.with(|tries| tries.last = Some(failed));
        Ok(HttpResponse::from_parts(head, body.into()))
    }
}

#[cfg(test)]
#[path = "responses_tests.rs"]
mod tests;
