#include "portal.h"

#include <ESP8266WiFi.h>
#include <new>

#include "boot.h"
#include "http.h"
#include "page.h"

namespace
{

constexpr int kClientsMax = 2;
constexpr int kChannel = 1;
// What was answered is to reach the page before the access point closes.
constexpr uint32_t kFarewellMs = 500;
constexpr uint32_t kBounceMs = 30;
// Each of 32: without those that look like another.
const char kLetters[] = "23456789abcdefghijkmnpqrstuvwxyz";

// Of the identity in flash.
uint16_t stored_epoch()
{
    espseal_store store = {};
    const bool loaded = espseal_store_load(&store, &espseal_esp8266()) && store.record.sequence > 0;
    const uint16_t epoch = loaded ? store.record.identity.epoch : 0;
    memset(&store, 0, sizeof store);
    return epoch;
}

struct Portal {
    Portal(const Settings &stored_settings, Stored what, const char *sketch, const IPAddress &own)
        : settings(stored_settings), stored(what), version(sketch), http(80, own)
    {
    }
    const Settings &settings;
    const Stored stored;
    const char *const version;
    Http http;
    const uint16_t epoch = stored_epoch();
    uint32_t opened_at = 0;
    uint32_t used_at = 0;
    uint32_t over_at = 0;
    bool over = false;
    bool was_released = false; // the button, which may still be held from the start
    bool was_pressed = false;
    uint32_t pressed_at = 0;
};

Portal *portal = nullptr;

// 80 bits, in groups for those who type it. Whoever records what is sent could guess at it later.
void draw_password(char password[20])
{
    uint8_t bytes[16];
    ESP.random(bytes, sizeof bytes);
    char *out = password;
    for (size_t at = 0; at < sizeof bytes; at++) {
        if (at > 0 && at % 4 == 0) {
            *out++ = '-';
        }
        *out++ = kLetters[bytes[at] % 32];
    }
    *out = '\0';
}

bool open_access_point()
{
    WiFi.persistent(false);
    // Random numbers are none while the radio is off; an access point would be an open one as yet.
    WiFi.mode(WIFI_STA);
    delay(100);
    char name[16], password[20];
    uint8_t mac[6];
    draw_password(password);
    WiFi.macAddress(mac);
    snprintf(name, sizeof name, "espseal-%02x%02x%02x", mac[3], mac[4], mac[5]);
    if (!WiFi.softAP(name, password, kChannel, 0, kClientsMax) || !WiFi.mode(WIFI_AP)) {
        return false;
    }
    Serial.printf_P(PSTR("access point: %s\npassword: %s\npage: http://%s/\n"), name, password,
                    WiFi.softAPIP().toString().c_str());
    Serial.printf_P(PSTR("back to run: after %u s without use, or press FLASH\n"),
                    static_cast<unsigned>(PORTAL_IDLE_MS / 1000));
    memset(password, 0, sizeof password);
    return true;
}

uint32_t left_ms()
{
    const uint32_t now = millis();
    const uint32_t idle = now - portal->used_at, open = now - portal->opened_at;
    if (portal->over || idle >= PORTAL_IDLE_MS || open >= PORTAL_LAST_MS) {
        return 0;
    }
    const uint32_t until_idle = PORTAL_IDLE_MS - idle, until_last = PORTAL_LAST_MS - open;
    return until_idle < until_last ? until_idle : until_last;
}

// Pressed and let go, since it was opened.
bool button()
{
    const bool pressed = digitalRead(kButton) == LOW;
    portal->was_released = portal->was_released || !pressed;
    if (pressed && !portal->was_pressed) {
        portal->pressed_at = millis();
    }
    const bool let_go = portal->was_pressed && !pressed && portal->was_released &&
                        millis() - portal->pressed_at >= kBounceMs;
    portal->was_pressed = pressed && portal->was_released;
    return let_go;
}

void finish()
{
    portal->over = true;
    portal->over_at = millis();
}

void put_member(const char *name)
{
    portal->http.put(",");
    portal->http.put_string(name);
    portal->http.put(":");
}

void put_field(const Field &field, bool provisioned)
{
    Http &http = portal->http;
    const bool given = field.kept ? portal->settings.given(field.name) : provisioned;
    http.put("{");
    if (field.secret()) {
        // Of a secret nothing but this.
        http.put("\"secret\":true,\"set\":");
        http.put(given ? "true" : "false");
    } else {
        http.put("\"initial\":");
        http.put_string(field.initial);
        if (field.kept && given) {
            put_member("value");
            http.put_string(portal->settings.get(field.name));
        }
    }
    http.put("}");
}

void put_seconds()
{
    portal->http.put("{\"seconds\":");
    portal->http.put_number(left_ms() / 1000);
}

void tell_state()
{
    Http &http = portal->http;
    char address[17], mac_text[18];
    provision_address(address);
    const bool provisioned = strcmp(address, "none") != 0;
    uint8_t mac[6];
    WiFi.macAddress(mac);
    snprintf(mac_text, sizeof mac_text, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    http.begin_json(200);
    put_seconds();
    put_member("state");
    http.put_string(portal->stored == Stored::kComplete      ? F("provisioned")
                    : portal->stored == Stored::kInterrupted ? F("interrupted: provision it again")
                                                             : F("not provisioned"));
    put_member("mode");
    http.put_string(mode_word(Mode::kConfigure));
    put_member("mac");
    http.put_string(mac_text);
    put_member("version");
    http.put_string(portal->version);
    put_member("heap");
    http.put_number(ESP.getFreeHeap());
    put_member("address");
    http.put_string(provisioned ? address : "");
    put_member("epoch");
    http.put_number(portal->epoch);
    http.put(",\"fields\":{");
    for (size_t at = 0; at < kFieldCount; at++) {
        http.put(at == 0 ? "" : ",");
        http.put_string(kFields[at].name);
        http.put(":");
        put_field(kFields[at], provisioned);
    }
    http.put("}}");
    http.end();
}

// What is wrong with the request's settings: at most one sentence for each field, and one more.
class Problems
{
  public:
    void add(const char *field, Sentence sentence)
    {
        if (count_ < sizeof problems_ / sizeof *problems_) {
            problems_[count_++] = {field, sentence};
        }
    }
    bool any() const { return count_ > 0; }
    bool has(const char *field) const
    {
        for (size_t at = 0; at < count_; at++) {
            if (strcmp(problems_[at].field, field) == 0) {
                return true;
            }
        }
        return false;
    }
    void tell(int status) const
    {
        Http &http = portal->http;
        http.begin_json(status);
        http.put("{\"problems\":{");
        for (size_t at = 0; at < count_; at++) {
            http.put(at == 0 ? "" : ",");
            http.put_string(problems_[at].field);
            http.put(":");
            http.put_string(problems_[at].sentence);
        }
        http.put("}}");
        http.end();
    }

  private:
    Problem problems_[kFieldCount + 1];
    size_t count_ = 0;
};

// The body: `name=value` in lines, as the settings are stored; "" takes a value away. False: it is
// something else.
bool take(char *body, Draft *draft, Problems *problems)
{
    bool confirmed = false;
    while (*body != '\0') {
        char *const line = body;
        body += strcspn(body, "\n");
        if (*body == '\n') {
            *body++ = '\0';
        }
        char *const value = strchr(line, '=');
        if (value == nullptr) {
            problems->add("", F("The request is no list of settings."));
            return false;
        }
        *value = '\0';
        if (strcmp(line, "confirm") == 0) {
            confirmed = strcmp(value + 1, "insecure") == 0;
            continue;
        }
        const Field *const field = field_of(line);
        if (field == nullptr) {
            problems->add("", F("The request has a setting that this sketch does not know."));
            return false;
        }
        Problem problem = {};
        field_tidy(*field, value + 1);
        if (!draft->set(field->name, value + 1, &problem)) {
            problems->add(field->name, problem.sentence);
        }
    }
    if (draft->settings.is("transport", "insecure") && !confirmed) {
        problems->add("confirm", F("Type insecure, or choose another transport."));
    }
    return true;
}

void save()
{
    Http &http = portal->http;
    Draft draft;
    Problems problems;
    if (strlen(http.body()) != http.body_bytes()) {
        problems.add("", F("The request has a NUL in it."));
    } else if (!draft.settings.copy(portal->settings)) {
        problems.add("", F("The board has no memory left: restart it."));
    } else if (take(http.body(), &draft, &problems)) {
        // Beside what is wrong, what is not there; a value that was refused is not called missing.
        Problem problem = draft.settings.missing();
        if (problem.sentence == nullptr && !problems.any()) {
            draft.commit(&problem);
        }
        if (problem.sentence != nullptr && !problems.has(problem.field)) {
            problems.add(problem.field, problem.sentence);
        }
    }
    if (problems.any()) {
        problems.tell(422);
        return;
    }
    char address[17];
    provision_address(address);
    http.begin_json(200);
    http.put("{\"saved\":");
    http.put_string(address);
    http.put("}");
    http.end();
    Serial.println(F("the page has saved"));
    finish();
}

void answer_seconds()
{
    portal->http.begin_json(200);
    put_seconds();
    portal->http.put("}");
    portal->http.end();
}

void answer()
{
    Http &http = portal->http;
    if (http.is("GET", "/state")) {
        tell_state();
        return;
    }
    if (http.has_path("/state")) {
        http.refuse(405);
    } else if (http.is("GET", "/")) {
        portal->used_at = millis();
        http.answer(200, PSTR("text/html"), kPage);
    } else if (http.is("POST", "/settings")) {
        portal->used_at = millis();
        save();
    } else if (http.is("POST", "/stay")) {
        portal->used_at = millis();
        answer_seconds();
    } else if (http.is("POST", "/run")) {
        answer_seconds();
        finish();
    } else {
        http.refuse(http.has_path("/") || http.has_path("/settings") || http.has_path("/stay") ||
                            http.has_path("/run")
                        ? 405
                        : 404);
    }
}

} // namespace

bool portal_open(const Settings &settings, Stored stored, const char *version)
{
    if (provision_mode() != 0 && !provision_set_mode(0)) {
        return false;
    }
    if (!open_access_point()) {
        return false;
    }
    portal = new (std::nothrow) Portal(settings, stored, version, WiFi.softAPIP());
    if (portal == nullptr) {
        return false;
    }
    pinMode(kButton, INPUT_PULLUP);
    portal->opened_at = portal->used_at = millis();
    portal->http.begin();
    return true;
}

bool portal_loop()
{
    if (portal == nullptr) {
        return false;
    }
    if (portal->over) {
        return millis() - portal->over_at < kFarewellMs;
    }
    if (portal->http.poll()) {
        answer();
    }
    if (left_ms() == 0 || button()) {
        Serial.println(left_ms() == 0 ? F("the time is over") : F("the button was pressed"));
        return false;
    }
    return true;
}
