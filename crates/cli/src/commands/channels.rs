//! From configuration to what the notifier and the built-in broker need.

use anyhow::{Context, anyhow, bail};
use config::{Loaded, Server};
use ingest::GatewayCredential;
use model::plant::ChannelKind;
use model::{BodyId, Plant};
use notifier::{Budget, ChannelConfig, Contacts, Driver, Form, Lang, Notifier, NotifierConfig, Retry, Secret, Templates, WebhookConfig};
use std::path::Path;

/// Channels, templates and contacts as the notifier wants them.
pub fn notifier_config(
    server: &Server,
    contacts: Contacts,
    clock: notifier::Clock,
    plant: &Plant,
    demo: bool,
    time_scale: f64,
) -> anyhow::Result<NotifierConfig> {
    let mut templates = Templates::default();
    let overrides = [
        ("zh-short", &server.templates.short_zh),
        ("en-short", &server.templates.short_en),
        ("zh-long", &server.templates.long_zh),
        ("en-long", &server.templates.long_en),
    ];
    for (name, source) in overrides {
        if let Some(source) = source {
            templates = templates.with(name, source.as_str());
        }
    }
    Ok(NotifierConfig {
        channels: server.channels.iter().map(channel).collect(),
        contacts,
        templates,
        demo,
        public_url: Some(server.http.public_url.clone()),
        utc_offset: plant.utc_offset,
        time_scale,
        ..NotifierConfig::new(clock)
    })
}

fn channel(setting: &config::ChannelSetting) -> ChannelConfig {
    let driver = match &setting.driver {
        config::Driver::Platform => Driver::Platform,
        config::Driver::Webhook(webhook) => Driver::Webhook(WebhookConfig {
            url: webhook.url.reveal().to_owned(),
            method: webhook.method.clone(),
            headers: webhook.headers.iter().map(|(name, value)| (name.clone(), Secret::new(value.reveal()))).collect(),
            body_template: webhook.body.clone().unwrap_or_else(|| WebhookConfig::PLAIN_BODY.to_owned()),
            timeout: webhook.timeout.to_std(),
            success_pointer: webhook.success.as_ref().map(|success| (success.json.clone(), success.equals.clone())),
        }),
    };
    ChannelConfig {
        id: setting.id.clone(),
        kind: setting.kind,
        driver,
        form: match setting.template {
            config::TemplateForm::Short => Form::Short,
            config::TemplateForm::Long => Form::Long,
        },
        lang: match setting.lang {
            config::Lang::Zh => Lang::Zh,
            config::Lang::En => Lang::En,
        },
        has_receipts: false,
        budget: budget_of(setting),
        retry: Retry::default(),
    }
}

/// A carrier's limits hold whatever is configured; a configured one replaces that of its own window.
fn budget_of(setting: &config::ChannelSetting) -> Option<Budget> {
    let carrier = match setting.kind {
        ChannelKind::Voice => Some(Budget::VOICE),
        ChannelKind::Sms => Some(Budget::SMS),
        ChannelKind::Platform | ChannelKind::App | ChannelKind::Webhook => None,
    };
    let Some(budget) = setting.budget else { return carrier };
    let none = Budget { per_minute: None, per_hour: None, per_day: None, reserve_percent: Budget::RESERVE_MIN };
    let mut limits = carrier.unwrap_or(none);
    match budget.per {
        config::Window::Minute => limits.per_minute = Some(budget.count),
        config::Window::Hour => limits.per_hour = Some(budget.count),
        config::Window::Day => limits.per_day = Some(budget.count),
    }
    Some(limits)
}

/// What the program around the core would refuse at a start: the broker's address, a template, a header. Nothing is sent and
/// no connection is made.
pub fn try_out(loaded: &Loaded) -> Result<(), String> {
    struct NoFacts;
    impl notifier::Facts for NoFacts {
        fn facts(&self, _: &model::Notification) -> Option<notifier::MessageFacts> {
            None
        }
    }
    if let Some(url) = &loaded.server.mqtt.url {
        ingest::BrokerAddress::parse(url).map_err(|error| format!("mqtt.url: {error}"))?;
    }
    let clock: notifier::Clock = std::sync::Arc::new(|| model::Timestamp(0));
    let config =
        notifier_config(&loaded.server, Contacts::default(), clock, &loaded.plant, false, 1.0).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let _entered = runtime.enter();
    // One TLS provider; a second call by a library is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Notifier::start(config, std::sync::Arc::new(NoFacts), std::sync::Arc::new(|_| {})).map(drop).map_err(|error| error.to_string())
}

/// Reads the gateways' secrets: lines `username = { secret = "…", enterprise = "…" }`, in a file outside the configuration.
pub fn gateway_credentials(file: &Path, plant: &Plant) -> anyhow::Result<Vec<GatewayCredential>> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Login {
        secret: String,
        enterprise: String,
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let logins: std::collections::BTreeMap<String, Login> = toml::from_str(&text).map_err(|error| {
        // The library's own words may show the secret.
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let format = "write one line per gateway: username = { secret = \"…\", enterprise = \"…\" }";
        anyhow!("{}:{line}: {format}", file.display())
    })?;
    logins
        .into_iter()
        .map(|(username, login)| {
            let enterprise = BodyId::from(login.enterprise);
            if plant.body(&enterprise).is_none() {
                bail!("{}: {username}: no enterprise {enterprise} in the configuration", file.display());
            }
            Ok(GatewayCredential { username, secret: ingest::Secret::new(login.secret), enterprise })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{ChannelSetting, TemplateForm, Window};

    fn setting(kind: ChannelKind, budget: Option<(u32, Window)>) -> ChannelSetting {
        ChannelSetting {
            id: model::ChannelId::new("channel"),
            kind,
            driver: config::Driver::Platform,
            template: TemplateForm::Short,
            lang: config::Lang::En,
            budget: budget.map(|(count, per)| config::Budget { count, per }),
        }
    }

    #[test]
    fn a_written_budget_changes_its_own_window_and_the_carriers_others_stay() {
        assert_eq!(budget_of(&setting(ChannelKind::Voice, None)), Some(Budget::VOICE));
        let hourly = budget_of(&setting(ChannelKind::Voice, Some((3, Window::Hour))));
        assert_eq!(hourly, Some(Budget { per_hour: Some(3), ..Budget::VOICE }));
        let daily = budget_of(&setting(ChannelKind::Sms, Some((500, Window::Day))));
        assert_eq!(daily, Some(Budget { per_day: Some(500), ..Budget::SMS }));
        assert_eq!(budget_of(&setting(ChannelKind::App, None)), None);
        let app = budget_of(&setting(ChannelKind::App, Some((10, Window::Minute)))).expect("it is written");
        assert_eq!((app.per_minute, app.per_hour, app.per_day), (Some(10), None, None));
    }

    #[test]
    fn a_channel_speaks_its_language() {
        assert_eq!(channel(&setting(ChannelKind::Sms, None)).lang, Lang::En);
    }

    #[test]
    fn gateways_credentials_are_bound_to_enterprises_that_exist() {
        let plant = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/tep")).expect("it is shipped").plant;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("gateways.toml");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("the folder is writable");
            gateway_credentials(&file, &plant).map_err(|error| format!("{error:#}"))
        };
        let read_well = read("gw01 = { secret = \"s3cret\", enterprise = \"tep\" }").expect("it is right");
        assert_eq!((read_well.len(), read_well[0].username.as_str(), read_well[0].enterprise.as_str()), (1, "gw01", "tep"));
        let strange = read("gw01 = { secret = \"s3cret\", enterprise = \"pet\" }").expect_err("there is no such enterprise");
        assert!(strange.contains("no enterprise pet") && !strange.contains("s3cret"), "{strange}");
        let faulty = read("# gateways\ngw01 = \"s3cret").expect_err("it is not TOML");
        assert!(faulty.contains("gateways.toml:2: ") && faulty.contains("username = { secret") && !faulty.contains("s3cret"), "{faulty}");
        let other = read("gw01 = \"s3cret\"").expect_err("it is no table");
        assert!(other.contains("gateways.toml:1: ") && !other.contains("s3cret"), "{other}");
    }
}
