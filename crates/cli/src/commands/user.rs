//! `watchfire user`: logins. There is no default one, and no default password.

use crate::lang::{is_colored, lang, say, table};
use anyhow::{Context, anyhow, bail};
use config::Lang;
use console::{Account, Accounts, AccountsError, Misfit, Role};
use model::{Plant, SYSTEM_ENTERPRISE};
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

/// Passwords made up before giving up. A login of one hexadecimal digit is in most of them; no other fault would go away.
const GENERATED_TRIES_MAX: u32 = 1_000;

const EXAMPLES: &str = "Examples:
  watchfire user add zhang --role enterprise --person hongxin-op1 --generate
  watchfire user add li --role township --person linjiang-duty < password.txt
  watchfire user add ops --role enterprise --person keeper1 --generate    signs the engine's own alarms
  watchfire user add audit --role admin --generate                        sees everything, acts on nothing
  watchfire user password zhang --generate
  watchfire user disable zhang
  watchfire user list

A running engine takes changes over within a second or two; a login that is disabled or gets a new password is logged out.

Exit status: 0 done, 1 the configuration has faults, 2 could not.";

/// Arguments of `watchfire user`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
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
        /// What it may do
        #[arg(long, value_parser = ["enterprise", "township", "county", "admin"])]
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
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let What::Add { username, role, person, generate } = &args.what {
        let plant = match config::load(&args.config) {
            Ok(loaded) => loaded.plant,
            Err(faults) => {
                eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
                return Ok(ExitCode::from(1));
            }
        };
        let account = candidate(username, role, person.as_deref(), &plant, args)?;
        crate::folder::make_private(&args.data)
            .with_context(|| format!("{}: {}", args.data.display(), say("不能创建数据目录", "cannot make the data folder")))?;
        let accounts = Accounts::open(&args.data).map_err(worded)?;
        // Known before a password is asked for.
        if accounts.find(username).is_some() {
            return Err(worded(AccountsError::Exists(username.clone())));
        }
        let add = |password: &str| accounts.add(username, account.role, account.body.clone(), account.person.clone(), password);
        let added = with_password(*generate, add)?;
        println!("{}: {} ({})", say("已添加", "added"), added.username, added.role.name());
        return Ok(ExitCode::SUCCESS);
    }
    if !args.data.is_dir() {
        let folder = args.data.display();
        let (zh, en) = (format!("没有数据目录 {folder};用 --data 指定"), format!("there is no data folder {folder}; name it with --data"));
        bail!("{}", say(&zh, &en));
    }
    let accounts = Accounts::open(&args.data).map_err(worded)?;
    let exists = |username: &String| match accounts.find(username) {
        Some(_) => Ok(()),
        None => Err(worded(AccountsError::NoSuchAccount(username.clone()))),
    };
    match &args.what {
        What::Add { .. } => {}
        What::Password { username, generate } => {
            exists(username)?;
            with_password(*generate, |password| accounts.set_password(username, password))?;
            println!("{}: {username}", say("密码已更改", "password changed"));
        }
        What::Disable { username } => {
            accounts.set_enabled(username, false).map_err(worded)?;
            println!("{}: {username}", say("已停用", "disabled"));
        }
        What::Enable { username } => {
            accounts.set_enabled(username, true).map_err(worded)?;
            println!("{}: {username}", say("已启用", "enabled"));
        }
        What::List { json } => list(&accounts.list(), *json),
    }
    Ok(ExitCode::SUCCESS)
}

/// The account as it would be, checked against the configuration before anything is written.
fn candidate(username: &str, role: &str, person: Option<&str>, plant: &Plant, args: &Args) -> anyhow::Result<Account> {
    let role = Role::parse(role).with_context(|| format!("no role {role}"))?;
    let (body, person) = match (person, role.tier()) {
        (Some(id), _) => {
            let Some(person) = plant.person(&id.into()) else {
                let folder = args.config.display();
                bail!("{}", say(&format!("{folder} 里没有人员 {id}"), &format!("no person {id} in {folder}")));
            };
            (Some(person.body.clone()), person.id.clone())
        }
        (None, None) => (None, username.into()),
        (None, Some(_)) => bail!("{}", say("用 --person 指定配置中的人员", "say with --person who of the configuration logs in")),
    };
    let account = Account { username: username.to_owned(), role, body, person, enabled: true, stamp: String::new() };
    match (account.misfit(plant), lang()) {
        (None, _) => Ok(account),
        (Some(Misfit::OtherTier), Lang::Zh) => bail!("{} 所在机构的层级不是 {}", account.person, role.name()),
        (Some(Misfit::OtherTier), Lang::En) => bail!("the body of {} is not of tier {}", account.person, role.name()),
        (Some(misfit), _) => bail!("{misfit}"),
    }
}

fn list(accounts: &[Account], json: bool) {
    if json {
        let row = |account: &Account| {
            serde_json::json!({ "username": account.username, "role": account.role.name(), "body": account.body,
                "person": account.person, "enabled": account.enabled })
        };
        println!("{}", serde_json::Value::from(accounts.iter().map(row).collect::<Vec<_>>()));
        return;
    }
    let mut rows = table([say("登录名", "login"), say("角色", "role"), say("机构", "body"), say("人员", "person"), say("状态", "state")]);
    for account in accounts {
        let body = account.body.as_ref().map_or("-", |body| body.as_str());
        rows.add_row([
            account.username.as_str(),
            account.role.name(),
            if body == SYSTEM_ENTERPRISE { say("系统运维", "the engine's keepers") } else { body },
            account.person.as_str(),
            if account.enabled { say("启用", "enabled") } else { say("停用", "disabled") },
        ]);
    }
    println!("{rows}");
}

/// The library says it in English; the operator may read Chinese.
fn worded(error: AccountsError) -> anyhow::Error {
    if lang() == Lang::En {
        return error.into();
    }
    match &error {
        AccountsError::Exists(name) => anyhow!("登录名 {name} 已经有了"),
        AccountsError::NoSuchAccount(name) => anyhow!("没有登录名 {name}"),
        AccountsError::BadUsername => anyhow!("登录名用字母、数字和 . _ - @"),
        AccountsError::WeakPassword => anyhow!("密码太弱或太长:要够长,含小写、大写、数字、其他中的三类,且不含登录名"),
        _ => error.into(),
    }
}

/// Does `change` with a password. A made-up one is shown once it holds, and made anew where it happens to be refused: one that
/// contains the login name is.
fn with_password<T>(generate: bool, change: impl Fn(&str) -> Result<T, AccountsError>) -> anyhow::Result<T> {
    if !generate {
        return change(&read_password()?).map_err(worded);
    }
    for _ in 0..GENERATED_TRIES_MAX {
        let password = console::random_password();
        match change(&password) {
            Err(AccountsError::WeakPassword) => {}
            Err(error) => return Err(worded(error)),
            Ok(done) => {
                println!("{}: {password}", say("密码(只显示一次)", "password (shown once)"));
                return Ok(done);
            }
        }
    }
    Err(worded(AccountsError::WeakPassword))
}

fn read_password() -> anyhow::Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn a_password_made_up_is_made_anew_where_it_is_refused() {
        let tried = RefCell::new(Vec::new());
        let done = with_password(true, |password| {
            tried.borrow_mut().push(password.to_owned());
            if tried.borrow().len() < 3 { Err(AccountsError::WeakPassword) } else { Ok(()) }
        });
        assert!(done.is_ok());
        tried.borrow_mut().dedup();
        assert_eq!(tried.borrow().len(), 3, "each try is another password");
    }

    #[test]
    fn any_other_refusal_ends_it_at_once() {
        let tries = RefCell::new(0);
        let refused = with_password(true, |_| -> Result<(), _> {
            *tries.borrow_mut() += 1;
            Err(AccountsError::NoSuchAccount("x".into()))
        });
        assert!(refused.is_err());
        assert_eq!(*tries.borrow(), 1);
    }
}
