//! `watchfire user`: logins. There is no default one.

use crate::lang::{lang, say};
use anyhow::{Context, bail};
use comfy_table::{Table, presets};
use console::{Accounts, Role};
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `watchfire user`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR", global = true)]
    data: PathBuf,
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Add a login; the password is read from standard input, or made up and shown once
    Add {
        /// Login name
        username: String,
        /// enterprise, township, county or admin
        #[arg(long)]
        role: String,
        /// The person of the configuration who logs in; an admin need not be one
        #[arg(long)]
        person: Option<String>,
        /// Make a password up and show it once
        #[arg(long)]
        generate: bool,
    },
    /// Set a new password
    Password {
        /// Login name
        username: String,
        /// Make a password up and show it once
        #[arg(long)]
        generate: bool,
    },
    /// Lock a login
    Disable {
        /// Login name
        username: String,
    },
    /// Unlock a login
    Enable {
        /// Login name
        username: String,
    },
    /// List logins
    List,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&args.data).with_context(|| format!("cannot make {}", args.data.display()))?;
    let accounts = Accounts::open(&args.data)?;
    match &args.what {
        What::Add { username, role, person, generate } => {
            let Some(role) = Role::parse(role) else { bail!("`{role}` is no role; write enterprise, township, county or admin") };
            let plant = match config::load(&args.config) {
                Ok(loaded) => loaded.plant,
                Err(faults) => {
                    eprint!("{}", faults.render(lang(), std::io::stderr().is_terminal()));
                    return Ok(ExitCode::from(1));
                }
            };
            let (body, person) = match (person, role.tier()) {
                (Some(id), _) => {
                    let Some(person) = plant.person(&id.as_str().into()) else { bail!("no person {id} in {}", args.config.display()) };
                    (Some(person.body.clone()), person.id.clone())
                }
                (None, None) => (None, username.as_str().into()),
                (None, Some(_)) => bail!("{}", say("用 --person 指定配置中的人员", "say with --person who of the configuration logs in")),
            };
            let account = accounts.add(username, role, body, person, &password(*generate)?)?;
            if let Some(misfit) = account.misfit(&plant) {
                accounts.set_enabled(username, false)?;
                bail!("{misfit}; the login was added but is disabled");
            }
        }
        What::Password { username, generate } => accounts.set_password(username, &password(*generate)?)?,
        What::Disable { username } => accounts.set_enabled(username, false)?,
        What::Enable { username } => accounts.set_enabled(username, true)?,
        What::List => {
            let mut table = Table::new();
            table.load_style(presets::UTF8_FULL_CONDENSED);
            table.set_header([say("登录名", "login"), say("角色", "role"), say("人员", "person"), say("状态", "state")]);
            for account in accounts.list() {
                table.add_row([
                    account.username.clone(),
                    account.role.name().to_owned(),
                    account.person.to_string(),
                    if account.enabled { say("启用", "enabled") } else { say("停用", "disabled") }.to_owned(),
                ]);
            }
            println!("{table}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn password(generate: bool) -> anyhow::Result<String> {
    if generate {
        let password = console::random_password();
        println!("{}: {password}", say("密码(只显示一次)", "password (shown once)"));
        return Ok(password);
    }
    if std::io::stdin().is_terminal() {
        eprint!("{}: ", say("新密码", "new password"));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("{}", say("标准输入没有密码;或用 --generate", "no password on standard input; or use --generate"));
    }
    Ok(password)
}
