//! `token-issuer users`. Passwords come from standard input or a prompt, never from the arguments, where other users of
//! the machine could read them.

use std::io::{self, IsTerminal};

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    CommandError, answer,
    keys::timestamp,
    settings::{DatabaseSettings, PasswordSettings},
};
use crate::{
    domain::{
        password::{ChosenPassword, Password, PasswordHash},
        scope::Scope,
        user::{AccountState, Identity, User, UserId},
        username::Username,
    },
    environment::{Clock, SystemClock, SystemEntropy, random},
    postgres::user::{Change, Insertion},
};

/// Create, list, disable and enable users, set passwords.
#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Create a user. Prints one line of JSON with the user's id.
    Create(Create),
    /// List the users, one JSON object a line.
    List(DatabaseSettings),
    /// Shut an account and end all of its sessions.
    Disable(Named),
    /// Open an account again.
    Enable(Named),
    /// Give a user a new password and end all of their sessions.
    SetPassword(SetPassword),
}

/// A user of the database.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The user's name.
    username: String,
    #[command(flatten)]
    database: DatabaseSettings,
}

/// Where the password comes from.
#[derive(Debug, Args)]
struct PasswordSource {
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
}

/// A new user.
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    user: Named,
    /// Rights that go into the user's tokens, parted by spaces.
    #[arg(long, env = "GATEHOUSE_DEFAULT_SCOPE", default_value = "")]
    scope: Scope,
    /// Leave a user of this name as they are, and say so, instead of failing.
    #[arg(long)]
    if_absent: bool,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    hashing: PasswordSettings,
}

/// A new password.
#[derive(Debug, Args)]
pub(super) struct SetPassword {
    #[command(flatten)]
    user: Named,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    hashing: PasswordSettings,
}

impl Users {
    /// Does what the command says.
    pub(super) async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(database) => list(&database).await,
            Self::Disable(named) => {
                let username = Username::parse(&named.username)?;
                let database = named.database.open().await?;
                changed(
                    database.disable_user(&username, SystemClock.now()).await?,
                    &username,
                    "disabled",
                )
            }
            Self::Enable(named) => {
                let username = Username::parse(&named.username)?;
                let database = named.database.open().await?;
                changed(database.enable_user(&username).await?, &username, "enabled")
            }
            Self::SetPassword(set) => {
                let username = Username::parse(&set.user.username)?;
                let database = set.user.database.open().await?;
                let hash = set.password.choose(&username, &set.hashing).await?;
                changed(
                    database.set_password(&username, &hash, SystemClock.now()).await?,
                    &username,
                    "password_set",
                )
            }
        }
    }
}

impl Create {
    async fn run(self) -> Result<(), CommandError> {
        let username = Username::parse(&self.user.username)?;
        let database = self.user.database.open().await?;
        if let Some(existing) = database.user_by_name(&username).await? {
            return self.taken(&existing.identity);
        }
        let now = SystemClock.now();
        let user = User {
            identity: Identity {
                id: UserId::from_random(random(&SystemEntropy::default())?),
                username: username.clone(),
                scope: self.scope.clone(),
            },
            password_hash: self.password.choose(&username, &self.hashing).await?,
            password_changed_at: now,
            state: AccountState::Active,
            created_at: now,
        };
        match database.insert_user(&user).await? {
            Insertion::Inserted => created(&user.identity, true),
            // Somebody was faster.
            Insertion::NameTaken => match database.user_by_name(&username).await? {
                Some(existing) => self.taken(&existing.identity),
                None => Err(CommandError::NoSuchUser(username.to_string())),
            },
        }
    }

    fn taken(&self, existing: &Identity) -> Result<(), CommandError> {
        if self.if_absent {
            created(existing, false)
        } else {
            Err(CommandError::NameTaken(existing.username.to_string()))
        }
    }
}

fn created(identity: &Identity, created: bool) -> Result<(), CommandError> {
    answer(&json!({ "id": identity.id.to_string(), "username": identity.username.as_str(), "created": created }))
}

fn changed(change: Change, username: &Username, what: &str) -> Result<(), CommandError> {
    match change {
        Change::Made => answer(&json!({ "username": username.as_str(), "change": what })),
        Change::NoSuchUser => Err(CommandError::NoSuchUser(username.to_string())),
    }
}

async fn list(settings: &DatabaseSettings) -> Result<(), CommandError> {
    for user in settings.open().await?.users().await? {
        let disabled_at = match user.state {
            AccountState::Active => None,
            AccountState::Disabled { since } => timestamp(since),
        };
        answer(&json!({
            "id": user.identity.id.to_string(),
            "username": user.identity.username.as_str(),
            "scope": user.identity.scope.to_string(),
            "created_at": timestamp(user.created_at),
            "disabled_at": disabled_at,
        }))?;
    }
    Ok(())
}

impl PasswordSource {
    /// Reads a password, checks it against the policy and hashes it.
    async fn choose(&self, username: &Username, hashing: &PasswordSettings) -> Result<PasswordHash, CommandError> {
        let password = if self.password_stdin {
            from_stdin()?
        } else if io::stdin().is_terminal() {
            from_prompt()?
        } else {
            return Err(CommandError::NoPassword(
                "give --password-stdin to read it from standard input",
            ));
        };
        let chosen = ChosenPassword::check(password, username)?;
        Ok(hashing.hasher()?.hash(chosen.password().clone()).await?)
    }
}

/// The first line; its end is not part of the password, white space is.
fn from_stdin() -> Result<Password, CommandError> {
    let mut line = Zeroizing::new(String::new());
    if io::stdin().read_line(&mut line)? == 0 {
        return Err(CommandError::NoPassword("standard input is empty"));
    }
    let text = line.strip_suffix('\n').unwrap_or(&line);
    Ok(Password::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

fn from_prompt() -> Result<Password, CommandError> {
    let first = Password::new(rpassword::prompt_password("Password: ")?);
    let second = Password::new(rpassword::prompt_password("Again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(CommandError::NoPassword("the two differ"))
    }
}
