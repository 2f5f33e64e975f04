//! `dx-registry serve`.

use super::{Common, Context};
use crate::accounts::first_start;
use crate::collect::collect;
use crate::config::Config;
use crate::log::Log;
use crate::server::{Server, Tls};
use crate::state::AppState;
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The stream that both the log and the reason for which nothing is served go to.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// The time between two collections of garbage.
const HOUR: Duration = Duration::from_secs(3600);

/// Start the registry
///
/// Without options it listens on 127.0.0.1:4873, keeps everything in your data folder, and fetches
/// what is not published here from dx's default registry.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address and port to listen on; port 0 for any free one [default: 127.0.0.1:4873]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The registry to fetch from what is not published here; "none" for no registry
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The address by which clients reach the registry, if a proxy is in front of it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The file of a certificate chain in PEM form, to serve HTTPS; read again at SIGHUP
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The file of the certificate's private key in PEM form
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Serve {
    /// Serves until the process is asked to end.
    pub(super) fn report(
        self,
        runtime: &Runtime,
        context: &mut Context,
        errors: Box<dyn Write + Send>,
    ) -> ExitCode {
        let mut errors = Shared(Arc::new(Mutex::new(errors)));
        let log = Box::new(errors.clone());
        let served =
            self.config(context).and_then(|config| runtime.block_on(serve(config, context, log)));
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                let _ = writeln!(errors, "dx-registry: {fault}");
                ExitCode::FAILURE
            }
        }
    }

    fn config(&self, context: &Context) -> Result<Config, String> {
        let flags = [
            ("listen", &self.listen),
            ("upstream", &self.upstream),
            ("public-url", &self.public_url),
            ("tls-cert", &self.tls_cert),
            ("tls-key", &self.tls_key),
        ];
        let given = flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        context.config(&self.common, given.collect())
    }
}

async fn serve(
    config: Config,
    context: &mut Context,
    errors: Box<dyn Write + Send>,
) -> Result<(), String> {
    let log = Log::new(config.log, errors);
    let state = AppState::open(config, &context.environment.variables, log)?;
    let server = Server::listen(state.clone()).await?;
    // Only then: the password of one that cannot listen would be shown to nobody.
    let administrator = first_start::administrator(&state.accounts).await;
    let administrator = administrator.map_err(|failure| failure.to_string())?;
    let text = greeting(&state.config, server.address()?);
    context.line(&text);
    if let Some(secret) = administrator {
        context.line(&format!(
            "The administrator of this registry is {:?} with the password {} (shown this once).",
            secret.name, secret.password
        ));
    }
    let rereading = tokio::spawn(reread_certificate(server.tls(), Arc::clone(&state)));
    let collecting = tokio::spawn(collect_hourly(state));
    server.run(asked_to_end()).await;
    collecting.abort();
    rereading.abort();
    Ok(())
}

/// Reads the certificate again at each SIGHUP. Without TLS, SIGHUP ends the process as usual, so
/// that a server in a terminal ends with the terminal.
async fn reread_certificate(tls: Option<Arc<Tls>>, state: Arc<AppState>) {
    #[cfg(unix)]
    {
        use crate::log::Level;
        use tokio::signal::unix::{SignalKind, signal};
        let (Some(tls), Ok(mut hangups)) = (tls, signal(SignalKind::hangup())) else {
            return;
        };
        while hangups.recv().await.is_some() {
            match tls.reread() {
                Ok(()) => state.log.line(Level::Info, "read the certificate again", &json!({})),
                Err(fault) => {
                    let fields = json!({ "detail": fault });
                    state.log.error("the certificate stays the one before", &fields);
                }
            }
        }
    }
    #[cfg(not(unix))]
    drop((tls, state));
}

async fn collect_hourly(state: Arc<AppState>) {
    let mut hours = tokio::time::interval(HOUR);
    // The first tick is at once: a start should not wait for a disk.
    hours.tick().await;
    loop {
        hours.tick().await;
        if let Err(failure) = collect(&state, false).await {
            let fields = json!({ "failure": failure.message, "detail": failure.detail });
            state.log.error("cannot collect garbage", &fields);
        }
    }
}

/// Returns the text that is shown once the port is open.
fn greeting(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls_cert.is_some() { "https" } else { "http" };
    let listening = format!("{scheme}://{address}/");
    let own = config.public_url.as_ref().map_or(listening.clone(), |public| public.0.to_string());
    let credentials = own.split_once(':').map_or(own.as_str(), |(_, rest)| rest);
    let upstream = match &config.upstream {
        Some(upstream) => upstream.0.to_string(),
        None => "none: only packages that are published here".to_owned(),
    };
    format!(
        "dx-registry listens on {listening}\n  packages in  {}\n  upstream     {upstream}\n\n\
         Use it:       npm config set registry {own}\n\
         To publish:   dx-registry user add NAME   (prints a token)\n              \
         npm config set {credentials}:_authToken TOKEN\n\
         Look at it:   {own}-/ui/",
        config.storage.display()
    )
}

/// Waits for Ctrl-C or a request of the system to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
