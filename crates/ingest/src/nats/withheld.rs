//! What a wide subscription does not bring: a server takes `>` from a user who may not see some subjects, and leaves those out
//! without a word. It tells when it is asked (`$SYS.REQ.USER.INFO`, since 2.10).

use serde::Deserialize;

use super::api::Api;

/// Where a server tells a user what he may do.
pub(super) const USER_INFO: &str = "$SYS.REQ.USER.INFO";

#[derive(Deserialize)]
struct Answer {
    data: User,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Permissions {
    subscribe: Subscribe,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Subscribe {
    deny: Option<Vec<String>>,
}

/// Subjects that are left out of the user's subscriptions; none when the server cannot tell.
pub(super) async fn withheld(api: &Api) -> Vec<String> {
    match api.ask_subject(USER_INFO, String::new()).await {
        Ok(answer) => denied(&answer.payload),
        Err(_) => Vec::new(),
    }
}

fn denied(answer: &[u8]) -> Vec<String> {
    let read: Result<Answer, _> = serde_json::from_slice(answer);
    read.ok().and_then(|a| a.data.permissions.subscribe.deny).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_tells() {
        let none = br#"{"server":{},"data":{"user":"a","account":"APP"}}"#;
        let open = br#"{"data":{"permissions":{"publish":{},"subscribe":{}}}}"#;
        let some = br#"{"data":{"permissions":{"publish":{},"subscribe":{"deny":["secret.\u003e"]}}}}"#;
        assert!(denied(none).is_empty() && denied(open).is_empty() && denied(b"?").is_empty());
        assert_eq!(denied(some), ["secret.>"]);
    }
}
