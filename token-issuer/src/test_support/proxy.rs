//! A line to Postgres that tests cut and mend, so that the database goes away for one test and stays for the others.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

use super::database::TestDatabase;

/// Listens as long as it is mended.
pub(crate) struct Line {
    port: u16,
    server: Arc<PgConnectOptions>,
    listening: Option<(JoinHandle<()>, watch::Sender<()>)>,
}

impl Line {
    /// A line that works.
    pub(crate) async fn to(database: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut line = Self {
            port,
            server: Arc::new(database.server().clone()),
            listening: None,
        };
        line.listen(listener);
        line
    }

    /// The database's address at this end.
    pub(crate) fn url(&self, database: &TestDatabase) -> String {
        let user = database.server().get_username();
        let password = password(database.url());
        format!(
            "postgres://{user}{password}@127.0.0.1:{}/{}?sslmode=disable",
            self.port,
            database.name()
        )
    }

    /// Ends all connections and accepts none.
    pub(crate) async fn cut(&mut self) {
        let (task, connections) = self.listening.take().expect("a line that works");
        task.abort();
        let _ = task.await;
        drop(connections);
    }

    /// Accepts connections again, at the same port.
    pub(crate) async fn mend(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        let (connections, cut) = watch::channel(());
        let server = Arc::clone(&self.server);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (server, mut cut) = (Arc::clone(&server), cut.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = relay(near, &server) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        self.listening = Some((task, connections));
    }
}

async fn relay(near: TcpStream, server: &PgConnectOptions) {
    if let Some(folder) = server.get_socket() {
        let path = folder.join(format!(".s.PGSQL.{}", server.get_port()));
        join(near, UnixStream::connect(path).await.unwrap()).await;
    } else {
        let address = (server.get_host(), server.get_port());
        join(near, TcpStream::connect(address).await.unwrap()).await;
    }
}

async fn join(mut near: TcpStream, mut far: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = copy_bidirectional(&mut near, &mut far).await;
}

/// The password in an address, with its colon.
fn password(url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let credentials = authority
        .split('/')
        .next()
        .and_then(|part| part.rsplit_once('@'))
        .map(|(user, _)| user);
    credentials
        .and_then(|text| text.split_once(':'))
        .map(|(_, password)| format!(":{password}"))
        .unwrap_or_default()
}
