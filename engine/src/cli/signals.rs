//! Ctrl-C and SIGTERM: finish the batch, store it and leave. SIGHUP: read the files again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::CliError;

/// A flag that the first Ctrl-C or SIGTERM sets. Nothing waits for the thread that listens; it ends with the process.
///
/// # Errors
/// When the system gives no thread or no signals.
pub fn stop_flag() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| CliError::Internal(format!("signals cannot be listened to: {error}")))?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if runtime.block_on(first_signal()).is_ok() {
                tracing::info!("asked to stop: the open batch is stored first");
                flag.store(true, Ordering::Relaxed);
            }
        })
        .map_err(|error| CliError::Internal(format!("signals cannot be listened to: {error}")))?;
    Ok(stop)
}

/// A flag that each SIGHUP sets.
///
/// # Errors
/// As [`stop_flag`].
pub fn hangup_flag() -> Result<Arc<AtomicBool>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked);
    let unheard =
        |error: std::io::Error| CliError::Internal(format!("signals cannot be listened to: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(unheard)?;
    // Before the thread, so that no SIGHUP from here on ends the process.
    let mut hangups = {
        let _entered = runtime.enter();
        signal(SignalKind::hangup()).map_err(unheard)?
    };
    std::thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || {
            while runtime.block_on(hangups.recv()).is_some() {
                flag.store(true, Ordering::Relaxed);
            }
        })
        .map_err(unheard)?;
    Ok(asked)
}

async fn first_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
