//! Being asked to end: Ctrl-C, SIGTERM, and that the terminal went away (SIGHUP); on Windows that the console is closed, the
//! user logs off, or the machine is shut down.

/// Waits until this program is asked to end.
pub async fn stopped() {
    tokio::select! {
        () = os::gone() => {}
        () = insisted() => {}
    }
}

/// Waits until somebody asks it in person, or the system does: a terminal that goes away says so twice, and is no hurry.
pub async fn insisted() {
    tokio::select! {
        () = os::terminated() => {}
        () = interrupted() => {}
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
mod os {
    use proxy::tcp_info::ignores_hangup;
    use tokio::signal::unix::{SignalKind, signal};

    pub(super) async fn terminated() {
        wait(SignalKind::terminate()).await;
    }

    /// Whoever starts it by nohup wants it to go on without a terminal.
    pub(super) async fn gone() {
        if ignores_hangup() {
            std::future::pending::<()>().await;
        }
        wait(SignalKind::hangup()).await;
    }

    async fn wait(kind: SignalKind) {
        match signal(kind) {
            Ok(mut signals) => _ = signals.recv().await,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(windows)]
mod os {
    use tokio::signal::windows::{ctrl_break, ctrl_close, ctrl_logoff, ctrl_shutdown};

    pub(super) async fn terminated() {
        match ctrl_break() {
            Ok(mut asked) => _ = asked.recv().await,
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) async fn gone() {
        let (Ok(mut close), Ok(mut logoff), Ok(mut shutdown)) = (ctrl_close(), ctrl_logoff(), ctrl_shutdown()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = close.recv() => {}
            _ = logoff.recv() => {}
            _ = shutdown.recv() => {}
        }
    }
}

#[cfg(not(any(unix, windows)))]
mod os {
    pub(super) async fn terminated() {
        std::future::pending().await
    }

    pub(super) async fn gone() {
        std::future::pending().await
    }
}
