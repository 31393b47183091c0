//! Gas limits against their upper bounds: at the bound is fine, above is not, and what cannot be converted is not let through.

use crate::acme::{load, with_files};

const HEADS: &str = "位号,设备位号,设备类型,介质,CAS号,信号类型,单位,量程低限,量程高限,低报,高报,高高报,网关\n";

fn codes_with(gas_bounds: &str, row: &str) -> Vec<&'static str> {
    let policies = include_str!("acme/policies.toml").to_owned() + gas_bounds;
    match load(with_files(&[("policies.toml", &policies), ("enterprises/acme.csv", &format!("{HEADS}{row}\n"))])) {
        Ok(loaded) => loaded.warnings.iter().map(|fault| fault.code).collect(),
        Err(faults) => faults.faults().iter().map(|fault| fault.code).collect(),
    }
}

/// Against the bounds that are shipped.
fn codes(row: &str) -> Vec<&'static str> {
    codes_with("", row)
}

#[test]
fn at_the_bound_is_fine_and_above_is_refused() {
    for (row, above) in [
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,%LEL,0,100,/,25,50,GW01", 0),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,%LEL,0,100,/,20,40,GW01", 0),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,%LEL,0,100,/,25.1,50.1,GW01", 2),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,%VOL,0,10,/,1.5,3,GW01", 0),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,%VOL,0,10,/,1.6,3,GW01", 1),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,LEL·m,0,5,/,1,2,GW01", 0),
        ("G-1,罐区,区域,甲醇,67-56-1,可燃气体,LEL·m,0,5,/,1,2.5,GW01", 1),
        ("G-1,罐区,区域,氨,7664-41-7,有毒气体,ppm,0,100,/,25,50,GW01", 0),
        ("G-1,罐区,区域,氨,7664-41-7,有毒气体,ppm,0,100,/,26,50,GW01", 1),
        ("G-1,罐区,区域,氮,7727-37-9,氧气,%VOL,0,30,19.5,23.5,/,GW01", 0),
        ("G-1,罐区,区域,氮,7727-37-9,氧气,%VOL,0,30,18,24,/,GW01", 2),
    ] {
        assert_eq!(codes(row), vec!["gas-bound"; above], "{row}");
    }
}

#[test]
fn a_list_in_milligrams_is_judged_by_a_bound_in_ppm() {
    // 25 ppm of ammonia at 20 ℃ are 17.7 mg/m³.
    assert!(codes("G-1,罐区,区域,氨,7664-41-7,有毒气体,mg/m³,0,70,/,17.6,35.3,GW01").is_empty());
    assert_eq!(codes("G-1,罐区,区域,氨,7664-41-7,有毒气体,mg/m³,0,70,/,17.8,35.3,GW01"), ["gas-bound"]);
    // The medium is known by its CAS number whatever it is called.
    assert_eq!(codes("G-1,罐区,区域,无水氨,7664-41-7,有毒气体,ppb,0,90000,/,25001,50000,GW01"), ["gas-bound"]);
}

#[test]
fn without_molar_mass_and_temperature_nothing_is_let_through() {
    let row = "G-1,罐区,区域,光气,75-44-5,有毒气体,mg/m³,0,5,/,0.1,0.2,GW01";
    let bound = |rest: &str, temperature: &str| {
        format!("\n[gas_bounds]\n{temperature}toxic = [{{ medium = \"光气\", unit = \"ppm\", high = 0.1, high_high = 0.2{rest} }}]\n")
    };
    assert_eq!(codes_with(&bound("", "temperature = 20\n"), row), ["molar-mass-unknown"]);
    assert_eq!(codes_with(&bound(", molar_mass = 98.92", ""), row), ["molar-mass-unknown"]);
    assert!(codes_with(&bound(", molar_mass = 98.92", "temperature = 20\n"), row).is_empty());
}

#[test]
fn a_range_that_cannot_do_the_oel_is_judged_by_the_idlh() {
    let gas = "\n[gas_bounds]\ntoxic = [{ medium = \"氯\", unit = \"ppm\", high = 0.3, high_high = 0.6, idlh = { value = 10, from_range = 20 } }]\n";
    assert_eq!(codes_with(gas, "G-1,罐区,区域,氯,7782-50-5,有毒气体,ppm,0,10,/,0.5,1,GW01"), ["gas-bound", "gas-bound"]);
    assert!(codes_with(gas, "G-1,罐区,区域,氯,7782-50-5,有毒气体,ppm,0,20,/,0.5,1,GW01").is_empty());
}
