//! Scenario files against a small plant: what is refused, and where.

use crate::acme::{changed, load};
use watchfire_config::{Files, scenario};

/// The codes of what is wrong with one step, each with its line.
fn faults(step: &str) -> Vec<(&'static str, usize)> {
    let plant = load(changed("server.toml", "", "")).unwrap_or_else(|faults| panic!("{faults}")).plant;
    let text = format!("title = \"x\"\nenterprise = \"acme\"\n[[step]]\n{step}\n");
    let read = scenario::read(&Files::from_memory([("x.toml", text.into_bytes())]), &plant);
    read.err().map_or_else(Vec::new, |faults| faults.faults().iter().map(|fault| (fault.code, fault.line)).collect())
}

#[test]
fn a_reading_of_infinity_is_refused_and_one_that_is_no_number_is_bad() {
    assert_eq!(faults("at = \"0s\"\nreadings = { \"LIA-101\" = [81, \"bad\", \"nan\", \"-1e9\"] }"), []);
    assert_eq!(faults("at = \"0s\"\nreadings = { \"LIA-101\" = [\"inf\", \"1e999\"] }"), [("reading", 5); 2]);
    assert_eq!(faults("at = \"0s\"\nsignal = { \"LIA-101\" = -inf }"), [("reading", 5)]);
}

#[test]
fn a_time_of_day_has_no_sign() {
    assert_eq!(faults("at = \"10:05\""), []);
    assert_eq!(faults("at = \"-5:-9\""), [("time", 4)]);
    assert_eq!(faults("at = \"10:+5\""), [("time", 4)]);
}

#[test]
fn an_expectation_says_when_as_a_time_of_day_or_since_the_start() {
    for when in ["at 10:05", "at 10:05:30", "at 30s", "于 10:05"] {
        assert_eq!(faults(&format!("at = \"10:06\"\nalarms = [\"LIA-101 high: raised {when}\"]")), [], "{when}");
    }
    assert_eq!(faults("at = \"10:06\"\nalarms = [\"LIA-101 high raised at 10:99\"]"), [("time", 5)]);
}
