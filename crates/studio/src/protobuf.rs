//! Protobuf payloads as JSON, by the descriptor sets that the settings name (`protoc --include_imports --descriptor_set_out`).

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use flowglass_model::{Config, ProtobufRule};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::bounded;
use crate::studio::lock;

/// Largest descriptor set, bytes.
const DESCRIPTORS: u64 = 32 << 20;
/// Descriptor sets kept in memory.
const KEPT: usize = 8;

/// A descriptor set as it was when it was read.
struct Kept {
    path: PathBuf,
    changed: Option<SystemTime>,
    pool: DescriptorPool,
}

/// Descriptor sets are read once, and again when their file changes.
static POOLS: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// A payload read by a rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    /// As JSON (protobuf's JSON mapping, names as in the schema).
    pub(crate) json: serde_json::Value,
    /// Of which message.
    pub(crate) message: String,
}

/// Reads a payload by the first rule whose subject fits; `None` when there is none. Errors in words. Paths of descriptor sets are
/// meant from the folder of the settings file.
pub(crate) fn decode(config: &Config, folder: &Path, subject: &str, payload: &[u8]) -> Option<Result<Decoded, String>> {
    let rule = config.protobuf.iter().find(|r| flowglass_ingest::nats::matches(&r.subject, subject))?;
    Some(by_rule(rule, folder, payload))
}

/// Why a rule cannot be used: its descriptor set cannot be read, or has no such message.
pub(crate) fn problem(rule: &ProtobufRule, folder: &Path) -> Option<String> {
    match pool(&folder.join(&rule.descriptors)) {
        Ok(pool) if pool.get_message_by_name(&rule.message).is_some() => None,
        Ok(_) => Some(format!("{} has no message {}", rule.descriptors, rule.message)),
        Err(why) => Some(why),
    }
}

fn by_rule(rule: &ProtobufRule, folder: &Path, payload: &[u8]) -> Result<Decoded, String> {
    let path = folder.join(&rule.descriptors);
    let json = by_pool(&pool(&path)?, &path.display().to_string(), &rule.message, payload)?;
    Ok(Decoded { json, message: rule.message.clone() })
}

/// Reads a payload as a message of a descriptor set, as JSON.
///
/// # Errors
/// In words: the set cannot be read, has no such message, or the payload is none.
pub fn read_as(descriptors: &[u8], message: &str, payload: &[u8]) -> Result<serde_json::Value, String> {
    let pool = decoded(descriptors)?;
    by_pool(&pool, "the descriptor set", message, payload)
}

/// Reads a descriptor set. The library takes it for one that a compiler wrote and panics over some that none did: that is
/// an error like any other.
fn decoded(bytes: &[u8]) -> Result<DescriptorPool, String> {
    match std::panic::catch_unwind(|| DescriptorPool::decode(bytes)) {
        Ok(pool) => pool.map_err(|e| e.to_string()),
        Err(_) => Err("it contradicts itself".to_owned()),
    }
}

fn by_pool(pool: &DescriptorPool, shown: &str, name: &str, payload: &[u8]) -> Result<serde_json::Value, String> {
    let descriptor =
        pool.get_message_by_name(name).ok_or_else(|| format!("{shown} has no message {name}; name it in full"))?;
    let message = DynamicMessage::decode(descriptor, payload).map_err(|e| format!("the payload is no {name}: {e}"))?;
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|e| format!("the payload as {name} has no JSON form: {e}"))
}

fn pool(path: &Path) -> Result<DescriptorPool, String> {
    let unreadable = |why: String| format!("the descriptor set {} cannot be read: {why}", path.display());
    let file = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
    let changed = file.modified().ok();
    if let Some(known) = lock(&POOLS).iter().find(|k| k.path == path && k.changed == changed) {
        return Ok(known.pool.clone());
    }
    let bytes = bounded::read(path, DESCRIPTORS).map_err(|e| unreadable(e.to_string()))?;
    let pool = decoded(&bytes)
        .map_err(|e| unreadable(format!("{e}; make it with protoc --include_imports --descriptor_set_out")))?;
    let mut pools = lock(&POOLS);
    pools.retain(|k| k.path != path);
    pools.truncate(KEPT - 1);
    pools.insert(0, Kept { path: path.to_owned(), changed, pool: pool.clone() });
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `message Order { string order_id = 1; int64 total = 2; }` in package `shop`, as `protoc` writes it.
    fn descriptors() -> Vec<u8> {
        let field = |name: &str, number: u8, kind: u8| {
            let mut f = vec![0x0a, name.len() as u8];
            f.extend(name.as_bytes());
            f.extend([0x18, number, 0x20, 1, 0x28, kind]);
            f
        };
        let nested = |tag: u8, inner: &[u8]| [&[tag, inner.len() as u8], inner].concat();
        let mut order = nested(0x0a, b"Order");
        order.extend(nested(0x12, &field("order_id", 1, 9)));
        order.extend(nested(0x12, &field("total", 2, 3)));
        let mut file = nested(0x0a, b"o.proto");
        file.extend(nested(0x12, b"shop"));
        file.extend(nested(0x22, &order));
        file.extend(nested(0x62, b"proto3"));
        nested(0x0a, &file)
    }

    #[test]
    fn payloads_are_read_by_the_rule_of_their_subject() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("o.desc"), descriptors()).unwrap();
        let rule = |message: &str| ProtobufRule {
            subject: "orders.*".into(),
            message: message.into(),
            descriptors: "o.desc".into(),
        };
        let config = |message: &str| Config { protobuf: vec![rule(message)], ..Config::default() };
        let payload = [0x0a, 4, b'o', b'-', b'1', b'7', 0x10, 7];
        let read = |config: &Config, subject: &str, payload: &[u8]| decode(config, folder.path(), subject, payload);
        let order = read(&config("shop.Order"), "orders.placed", &payload).unwrap().unwrap();
        assert_eq!(order.json, serde_json::json!({ "order_id": "o-17", "total": "7" }));
        assert_eq!(read(&config("shop.Order"), "claims.filed", &payload), None);
        for (config, payload, words) in [
            (config("shop.Claim"), payload.as_slice(), "no message shop.Claim"),
            (config("shop.Order"), &[0x0a, 200], "is no shop.Order"),
        ] {
            let error = read(&config, "orders.placed", payload).unwrap().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        std::fs::write(folder.path().join("o.desc"), b"\xff\xff").unwrap();
        let error = read(&config("shop.Order"), "orders.placed", &payload).unwrap().unwrap_err();
        assert!(error.contains("descriptor_set_out"), "{error}");
    }
}
