//! `[metrics]`: figures for Prometheus.

use std::net::SocketAddr;

use super::kind::Listen;
use super::section::section;

section! {
    /// Figures for Prometheus.
    MetricsSettings in "metrics" {
        /// Where `GET /metrics` is answered; `None` = nowhere.
        listen: Option<SocketAddr> = Listen, decides No;
    }
}
