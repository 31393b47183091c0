//! `watchfire plan`: what a new configuration would change, line by line, and, with `--apply`, its coming into force.
//!
//! It asks the running engine, as a login of its own: only that knows which alarms stand and which delays run. `--against` compares two
//! folders and needs no engine.

use super::status::civil;
use crate::configurations::{shown_fault, shown_lines};
use crate::lang::{is_colored, lang, say, table};
use anyhow::{Context, bail};
use config::{Difference, Files};
use model::Timestamp;
use serde_json::{Value, json};
use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire plan next --against config                 two folders, no engine
  watchfire plan next --user admin                     against the running engine, and what it does to alarms and delays
  watchfire plan next --user admin --apply             where everything is 收紧
  watchfire plan next --user admin --apply --ticket B-17 --reason 'wrong range' --second zhenjie
  watchfire plan --confirm ID --user zhenjie           the second person agrees, and it is in force
  watchfire plan --rollback --user admin --apply       back to the version before

The password is read from WATCHFIRE_PASSWORD, else from standard input.
What takes effect at the next start only (channels, broker, addresses) is named with its place; all else does not wait for it.

Exit status: 0 nothing stands against it, or it is done: in force, put before the second person, declined; 1 refused, or it wants a
change ticket; 2 could not run.";

/// Arguments of `watchfire plan`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The new configuration's folder
    #[arg(value_name = "DIR", required_unless_present_any = ["rollback", "confirm", "decline"])]
    dir: Option<PathBuf>,
    /// Compare with this folder instead of the running engine
    #[arg(long, value_name = "DIR", conflicts_with_all = ["apply", "rollback", "confirm", "decline"])]
    against: Option<PathBuf>,
    /// Where the engine's pages are
    #[arg(long, env = "WATCHFIRE_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// The login to use
    #[arg(long, env = "WATCHFIRE_USER", value_name = "NAME")]
    user: Option<String>,
    /// Apply it, or put it before the second person where it wants one
    #[arg(long)]
    apply: bool,
    /// Change ticket 变更单号
    #[arg(long, default_value = "", value_name = "NUMBER")]
    ticket: String,
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    reason: String,
    /// The second person, by login or person id, who confirms with a login of their own
    #[arg(long, value_name = "LOGIN")]
    second: Option<String>,
    /// Back to a version that was in force; without one, to the version before
    #[arg(long, value_name = "VERSION", num_args = 0..=1, default_missing_value = "")]
    rollback: Option<String>,
    /// As the second person, agree to the plan of this id
    #[arg(long, value_name = "ID", conflicts_with = "decline")]
    confirm: Option<String>,
    /// As the second person, decline it
    #[arg(long, value_name = "ID")]
    decline: Option<String>,
    /// Print the engine's answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.against {
        Some(against) => compare(args, against),
        None => {
            let _ = rustls::crypto::ring::default_provider().install_default();
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(ask(args))
        }
    }
}

fn compare(args: &Args, against: &PathBuf) -> anyhow::Result<ExitCode> {
    let dir = args.dir.as_ref().context("DIR")?;
    let (mut plants, mut servers) = (Vec::new(), Vec::new());
    for dir in [against, dir] {
        match config::load(dir) {
            Ok(loaded) => {
                plants.push(loaded.plant);
                servers.push(loaded.server);
            }
            Err(faults) => {
                eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
                return Ok(ExitCode::from(1));
            }
        }
    }
    let difference = Difference::between(&plants[0], &plants[1]);
    let code = if difference.needs_ticket() { ExitCode::from(1) } else { ExitCode::SUCCESS };
    if args.json {
        println!("{}", serde_json::to_string(&difference)?);
        return Ok(code);
    }
    let waits: Vec<_> = config::waits_for_start(&servers[0], &servers[1], &Files::read(dir)).iter().map(shown_fault).collect();
    let (lines, left_off) = shown_lines(&difference, usize::MAX);
    let plan = json!({
        "lines": lines, "lines_left_off": left_off, "needs_ticket": difference.needs_ticket(), "at_next_start": waits,
        "looser": difference.count(config::Direction::Looser) + difference.count(config::Direction::Unclear),
        "tighter": difference.count(config::Direction::Tighter),
    });
    print_plan(&plan);
    Ok(code)
}

async fn ask(args: &Args) -> anyhow::Result<ExitCode> {
    let engine = Api::login(args).await?;
    if let Some((id, agree)) = args.confirm.as_ref().map(|id| (id, true)).or_else(|| args.decline.as_ref().map(|id| (id, false))) {
        let (good, plan) = engine.post("config/confirm", &json!({ "id": id, "agree": agree })).await?;
        return Ok(finish(args, good, &plan));
    }
    let request = match (&args.rollback, &args.dir) {
        (Some(version), _) => json!({ "rollback": version }),
        (None, Some(dir)) => json!({ "files": files(dir)? }),
        (None, None) => bail!("DIR"),
    };
    let (good, plan) = engine.post("config/plan", &request).await?;
    let refused = !good || plan["status"] == "refused";
    if refused || !args.apply {
        return Ok(finish(args, !refused && plan["needs_ticket"] != true, &plan));
    }
    if !args.json {
        print_plan(&plan);
    }
    let request = json!({ "id": plan["id"], "ticket": args.ticket, "reason": args.reason, "second": args.second });
    let (good, applied) = engine.post("config/apply", &request).await?;
    if args.json || !good {
        return Ok(finish(args, good, &applied));
    }
    print_status(&applied);
    Ok(ExitCode::SUCCESS)
}

/// The files of a folder as the API takes them.
fn files(dir: &std::path::Path) -> anyhow::Result<Value> {
    use base64::Engine as _;
    if !dir.is_dir() {
        bail!("{}: {}", dir.display(), say("没有这个文件夹", "no such folder"));
    }
    let mut files = serde_json::Map::new();
    for (path, bytes) in Files::read(dir).iter() {
        let content = match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
        };
        files.insert(path.to_string_lossy().into_owned(), content);
    }
    Ok(Value::Object(files))
}

struct Api {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    async fn login(args: &Args) -> anyhow::Result<Self> {
        let user = args.user.as_deref().with_context(|| say("用 --user 指定登录名", "name the login with --user"))?;
        let password = match std::env::var("WATCHFIRE_PASSWORD") {
            Ok(password) => password,
            Err(_) => {
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line)?;
                line.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        let client = reqwest::Client::builder().timeout(console::bounds::CONFIG_TIMEOUT).build()?;
        let base = args.url.trim_end_matches('/').to_owned();
        let mut api = Self { client, base, token: String::new() };
        let (good, answer) = api.post("login", &json!({ "username": user, "password": password })).await?;
        if !good {
            bail!("{}", answer["text"].as_str().unwrap_or("login refused"));
        }
        api.token = answer["token"].as_str().context("no token in the answer")?.to_owned();
        Ok(api)
    }

    /// Whether it was done, and the answer.
    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(bool, Value)> {
        let language = match lang() {
            config::Lang::Zh => "zh",
            config::Lang::En => "en",
        };
        let url = format!("{}/api/v1/{path}?lang={language}", self.base);
        let request = self.client.post(&url).json(body);
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        let response = request.send().await.with_context(|| format!("{url}: {}", say("引擎没有应答", "the engine does not answer")))?;
        let good = response.status().is_success();
        let answer = response.json().await.with_context(|| format!("{url}: {}", say("应答读不懂", "the answer cannot be read")))?;
        Ok((good, answer))
    }
}

fn finish(args: &Args, good: bool, answer: &Value) -> ExitCode {
    if args.json {
        println!("{answer}");
    } else if answer.get("error").is_some() {
        eprintln!("{}", answer["text"].as_str().unwrap_or_default());
    } else {
        print_plan(answer);
        print_status(answer);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn words<'a>(of: &'a Value, key: &str) -> &'a str {
    let name = match lang() {
        config::Lang::Zh => format!("{key}_zh"),
        config::Lang::En => format!("{key}_en"),
    };
    of[&name].as_str().or_else(|| of[key].as_str()).unwrap_or_default()
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn print_plan(plan: &Value) {
    for fault in list(&plan["faults"]) {
        println!("{}: {}", fault["place"].as_str().unwrap_or_default(), words(fault, "text"));
    }
    let lines = list(&plan["lines"]);
    if !lines.is_empty() {
        let mut shown = table([
            say("松紧", "way"),
            say("位号", "tag"),
            say("条件", "condition"),
            say("项目", "what"),
            say("原值", "old"),
            say("新值", "new"),
            say("变更单", "ticket"),
        ]);
        for line in lines {
            let direction = match line["direction"].as_str() {
                Some("looser") => say("放宽", "looser"),
                Some("tighter") => say("收紧", "tighter"),
                Some("unclear") => say("不能判定", "unclear"),
                _ => "",
            };
            let unit = line["unit"].as_str().unwrap_or_default();
            let place = line["tag"].as_str().map_or_else(
                || line["of"].as_str().unwrap_or_default().to_owned(),
                |tag| format!("{}/{tag}", line["enterprise"].as_str().unwrap_or_default()),
            );
            shown.add_row([
                direction.to_owned(),
                place,
                words(line, "condition").to_owned(),
                words(line, "item").to_owned(),
                format!("{} {unit}", words(line, "old")).trim_end().to_owned(),
                format!("{} {unit}", words(line, "new")).trim_end().to_owned(),
                if line["needs_ticket"] == true { say("要", "yes") } else { "" }.to_owned(),
            ]);
        }
        println!("{shown}");
    }
    for waits in list(&plan["at_next_start"]) {
        println!("{}: {}", waits["place"].as_str().unwrap_or_default(), words(waits, "text"));
    }
    for effect in list(&plan["effects"]) {
        let until = effect["at"].as_i64().map_or_else(String::new, |at| format!(" ({})", civil(Timestamp::from_millis(at))));
        println!(
            "{}@{}: {}{until}",
            effect["condition"].as_str().unwrap_or_default(),
            effect["tag"].as_str().unwrap_or_default(),
            words(effect, "text")
        );
    }
    let count = |key: &str| plan[key].as_u64().unwrap_or(0);
    for (key, zh, en) in [("lines_left_off", "未列出的改动", "lines left off"), ("effects_left_off", "未列出的影响", "effects left off")]
    {
        if count(key) > 0 {
            println!("{}: {}", say(zh, en), count(key));
        }
    }
    println!("{}: {}, {}: {}", say("放宽", "looser"), count("looser"), say("收紧", "tighter"), count("tighter"));
    if plan["needs_ticket"] == true {
        println!("{}", say("需要变更单号、理由和第二人确认", "wants a change ticket, a reason and a second person"));
    }
}

fn print_status(plan: &Value) {
    let id = plan["id"].as_str().unwrap_or_default();
    match plan["status"].as_str() {
        Some("applied") => println!("{} {}", say("已生效", "in force:"), plan["to"].as_str().unwrap_or_default()),
        Some("waiting") => println!(
            "{} {}: watchfire plan --confirm {id} --user …",
            say("等待第二人确认", "waits for the second person,"),
            plan["second"].as_str().unwrap_or_default()
        ),
        Some("planned") => println!("{} {id}", say("方案", "plan")),
        Some("declined") => println!("{}", say("已否决,未生效", "declined; not in force")),
        Some("refused") => println!("{}", say("有错误,未生效;现行配置不变", "refused; the configuration in force stays")),
        _ => {}
    }
}
