//! `GET /metrics` over HTTP, on a thread of its own, so that a slow reader cannot slow decisions.
//!
//! No password: it belongs on a loopback address. There is nothing about users in the figures.

#![expect(clippy::disallowed_types, reason = "it listens on a socket")]

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::sync::oneshot;

use super::metrics::Metrics;

/// The content type of the Prometheus text form.
const TEXT_FORM: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why figures are not served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The port is taken, or the address is not ours.
    #[error("`metrics.listen` = `{address}` cannot be listened on: {source}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The thread or its runtime could not be started.
    #[error("the thread for figures cannot be started: {0}")]
    Thread(io::Error),
}

/// A running server. Dropping it ends the server and waits for its thread.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Listens before it returns, so that a port in use is an error here and not a line in a log.
    ///
    /// # Errors
    /// The address cannot be listened on, or no thread can be started.
    pub fn start(address: SocketAddr, metrics: Metrics) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if !address.ip().is_loopback() {
            tracing::warn!("figures are served on {address}, which other machines may reach");
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(ServeError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || runtime.block_on(serve(listener, metrics, stopped)))
            .map_err(ServeError::Thread)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens, with the port that the system chose if 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The other end is gone when the server failed by itself: then there is nothing to stop.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread for figures ended in a fault");
        }
    }
}

/// Answers until told to stop; open connections are cut then, as a scrape is simply repeated.
async fn serve(listener: TcpListener, metrics: Metrics, stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("figures are not served: {error}");
            return;
        }
    };
    let routes = Router::new()
        .route("/metrics", get(figures).fallback(not_found))
        .fallback(not_found)
        .with_state(metrics);
    tokio::select! {
        ended = std::future::IntoFuture::into_future(axum::serve(listener, routes)) => {
            if let Err(error) = ended {
                tracing::error!("figures are no longer served: {error}");
            }
        }
        _ = stopped => {}
    }
}

async fn figures(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORM)], text).into_response(),
        Err(error) => {
            tracing::error!("{error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn started() -> (MetricsServer, Metrics) {
        let metrics = Metrics::new().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        (MetricsServer::start(any, metrics.clone()).unwrap(), metrics)
    }

    #[test]
    fn figures_are_answered_and_nothing_else_is() {
        let (server, metrics) = started();
        metrics.decisions.add("step_up", 7);
        let answer = ask(server.address(), "GET /metrics");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(
            answer.contains("content-type: text/plain; version=0.0.4"),
            "{answer}"
        );
        assert!(
            answer.contains("doorward_decisions_total{action=\"step_up\"} 7"),
            "{answer}"
        );
        for other in ["GET /", "GET /metrics/x", "POST /metrics", "DELETE /"] {
            let answer = ask(server.address(), other);
            assert!(answer.starts_with("HTTP/1.1 404 "), "{other}: {answer}");
        }
    }

    #[test]
    fn a_port_in_use_is_an_error_that_names_the_setting() {
        let (server, metrics) = started();
        let error = MetricsServer::start(server.address(), metrics).unwrap_err();
        assert!(error.to_string().contains("`metrics.listen`"), "{error}");
    }

    #[test]
    fn a_dropped_server_frees_its_port_in_spite_of_an_open_connection() {
        let (server, _) = started();
        let address = server.address();
        let _open = TcpStream::connect(address).unwrap();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}
