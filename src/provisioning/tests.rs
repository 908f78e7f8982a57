use super::*;
use crate::key::DeviceKey;
use crate::sealed::Address;

/// Whatever may stand in a name and in a password.
const NASTY: &str = "a\"b\\c'dé?? {}*/ ]]";

fn provision(name: &str) -> Provision {
    Provision {
        name: name.into(),
        address: Address::new([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]),
        key: DeviceKey::new(&[0xa5; 32]).unwrap(),
        epoch: 2,
        up_topic: "up".to_owned(),
        hello_topic: "hello".to_owned(),
        down_topic: "down".to_owned(),
        beacon_topic: "beacon".into(),
    }
}

fn rendered(form: Form, name: &str, settings: &[(&str, Setting<'_>)]) -> String {
    provision(name).render(form, settings).unwrap().to_string()
}

#[test]
fn the_config_of_nodemcu() {
    let settings = [
        ("interval", Setting::Number(60)),
        ("wifi_password", Setting::Text(NASTY)),
        ("mqtt_port", Setting::Number(8883)),
    ];
    let key = "a5".repeat(32);
    assert_eq!(
        rendered(Form::Nodemcu, NASTY, &settings),
        format!(
            r#"-- a"b\c'dé?? {{}}*/ ]], as espseal provisions it. It holds the device's key: keep it to yourself.
-- sealed.config.example.lua has what else can be set.

return {{
  wifi_ssid = "YOUR-WIFI",
  wifi_password = "a\034b\092c'd\195\169?? {{}}*/ ]]",

  mqtt_host = "BROKER.EXAMPLE",
  mqtt_port = 8883,

  address = "0011223344556677",
  device_key = "{key}",
  epoch = 2,

  beacon_topic = "beacon",
  up_topic = "up",
  hello_topic = "hello",
  down_topic = "down",

  interval = 60,

  -- What to publish, a number or a string; nil: nothing now.
  sensor = function() return adc.read(0) end,
}}
"#
        )
    );
}

#[test]
fn the_header_of_a_sketch() {
    let settings = [("mqtt_password", Setting::Text(NASTY))];
    let key = vec!["0xa5"; 32].join(", ");
    assert_eq!(
        rendered(Form::Arduino, NASTY, &settings),
        format!(
            r#"/* a"b\c'dé?? {{}}* / ]], as espseal provisions it. It holds the device's key: keep it to yourself. */
#ifndef ESPSEAL_CONFIG_H
#define ESPSEAL_CONFIG_H

#define ESPSEAL_NAME "a\042b\134c'd\303\251\077\077 {{}}*/ ]]"
#define ESPSEAL_ADDRESS {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}}
#define ESPSEAL_DEVICE_KEY {{{key}}}
#define ESPSEAL_EPOCH 2
#define ESPSEAL_UP_TOPIC "up"
#define ESPSEAL_HELLO_TOPIC "hello"
#define ESPSEAL_DOWN_TOPIC "down"
#define ESPSEAL_BEACON_TOPIC "beacon"
#define ESPSEAL_MQTT_PASSWORD "a\042b\134c'd\303\251\077\077 {{}}*/ ]]"
#define ESPSEAL_MQTT_HOST "CHANGE-ME"
#define ESPSEAL_WIFI_SSID "CHANGE-ME"
#define ESPSEAL_WIFI_PASSWORD "CHANGE-ME"

#endif
"#
        )
    );
    let open = rendered(Form::Arduino, "x", &[("wifi_ssid", Setting::Text("open"))]);
    assert!(open.contains("ESPSEAL_WIFI_PASSWORD \"\"\n"));
}

#[test]
fn the_json_of_a_computer() {
    let settings = [("mqtt_port", Setting::Number(8883))];
    let text = rendered(Form::Json, NASTY, &settings);
    assert!(text.starts_with("{\n  \"version\": 1,\n  \"name\": \"a\\\"b\\\\c'd"));
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["name"], NASTY);
    assert_eq!(read["device_key"], "a5".repeat(32));
    assert_eq!(
        (&read["epoch"], &read["mqtt_port"]),
        (&2.into(), &8883.into())
    );
}

#[test]
fn a_comment_is_one_line_whatever_the_name() {
    for name in ["a\u{2028}b", "a\nb", "a\u{202e}b", "a\0b"] {
        for form in [Form::Nodemcu, Form::Arduino] {
            let text = rendered(form, name, &[]);
            let first = text.lines().next().unwrap();
            assert!(first.contains("a?b, as espseal"), "{first}");
        }
    }
}

#[test]
fn no_setting_becomes_code_or_stands_twice() {
    let twice = [("a", Setting::Number(1)), ("a", Setting::Number(2))];
    let cases: [&[(&str, Setting<'_>)]; 7] = [
        &[("", Setting::Number(1))],
        &[("1a", Setting::Number(1))],
        &[("a = os.exit()", Setting::Number(1))],
        &[("a\n", Setting::Number(1))],
        &[("version", Setting::Number(1))],
        &[("device_key", Setting::Text("00"))],
        &twice,
    ];
    for settings in cases {
        for form in Form::ALL {
            let error = provision("x").render(form, settings).unwrap_err();
            assert_eq!(error.problem.code(), "invalid_value");
        }
    }
}
