//! Business keys: the names under which senders put the identity of an order, a customer, a claim.

/// Canonical business keys. A name carries one when its last words are these, whatever the case and separators: `order.id`,
/// `app.orderId`, `purchase_order_id` and `ORDER-ID` all carry `orderId`.
///
/// `requestId` and `correlationId` are no business objects, but join what belongs to one action (`x-request-id`).
pub const BUSINESS_KEYS: [&str; 18] = [
    "orderId",
    "customerId",
    "claimId",
    "invoiceId",
    "invoiceNumber",
    "shipmentId",
    "paymentId",
    "projectId",
    "contractId",
    "ticketId",
    "caseId",
    "requestId",
    "correlationId",
    "orderNumber",
    "customerNumber",
    "policyNumber",
    "accountNumber",
    "contractNumber",
];

/// First word and second word of each entry of [`BUSINESS_KEYS`], lower case.
const WORDS: [(&str, &str); 18] = [
    ("order", "id"),
    ("customer", "id"),
    ("claim", "id"),
    ("invoice", "id"),
    ("invoice", "number"),
    ("shipment", "id"),
    ("payment", "id"),
    ("project", "id"),
    ("contract", "id"),
    ("ticket", "id"),
    ("case", "id"),
    ("request", "id"),
    ("correlation", "id"),
    ("order", "number"),
    ("customer", "number"),
    ("policy", "number"),
    ("account", "number"),
    ("contract", "number"),
];

/// Namespaces of infrastructure whose `project.id`, `request_id` and so on are no business keys.
const INFRASTRUCTURE: [&str; 11] =
    ["gcp.", "aws.", "azure.", "az.", "cloud.", "k8s.", "faas.", "rpc.", "telemetry.", "process.", "jsonrpc."];

/// The canonical business key that an attribute, header or field of this name carries, if any.
pub fn business_key(name: &str) -> Option<&'static str> {
    let (rest, second) = last_word(name)?;
    let tail = ["id", "number", "no", "nr"].into_iter().find(|t| ends_folded(second, t))?;
    if INFRASTRUCTURE.iter().any(|p| name.starts_with(p)) {
        return None;
    }
    // Written together (`orderid`): one word holds both.
    let first = if second.len() > tail.len() { &second[..second.len() - tail.len()] } else { last_word(rest)?.1 };
    let tail = if tail == "no" || tail == "nr" { "number" } else { tail };
    WORDS.iter().position(|(a, b)| *b == tail && first.eq_ignore_ascii_case(a)).map(|i| BUSINESS_KEYS[i])
}

fn ends_folded(word: &str, tail: &str) -> bool {
    word.len() >= tail.len()
        && word.is_char_boundary(word.len() - tail.len())
        && word[word.len() - tail.len()..].eq_ignore_ascii_case(tail)
}

/// What stands before the last word, and the last word: words end at separators and where camelCase starts a new one.
fn last_word(name: &str) -> Option<(&str, &str)> {
    let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    let bytes = name.as_bytes();
    let mut start = bytes.len();
    while start > 0 {
        let b = bytes[start - 1];
        if !(b.is_ascii_alphanumeric() || b >= 0x80) {
            break;
        }
        start -= 1;
        let before_is_lower = start > 0 && !bytes[start - 1].is_ascii_uppercase();
        let after_is_lower = bytes.get(start + 1).is_some_and(u8::is_ascii_lowercase);
        if b.is_ascii_uppercase() && (before_is_lower || (after_is_lower && start > 0)) {
            break;
        }
    }
    let word = name.get(start..)?;
    (!word.is_empty()).then(|| (&name[..start], word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_keys_in_any_spelling() {
        for (name, want) in [
            ("orderId", Some("orderId")),
            ("order_id", Some("orderId")),
            ("app.order.id", Some("orderId")),
            ("ORDER-ID", Some("orderId")),
            ("OrderID", Some("orderId")),
            ("orderid", Some("orderId")),
            ("purchaseOrderId", Some("orderId")),
            ("data.customer.id", Some("customerId")),
            ("invoice_no", Some("invoiceNumber")),
            ("invoiceNumber", Some("invoiceNumber")),
            ("http.request.header.x_request_id", Some("requestId")),
            ("http.request.header.x-request-id", Some("requestId")),
            ("X-Correlation-ID", Some("correlationId")),
            ("correlationid", Some("correlationId")),
            ("preorderid", None),
            ("reorder.id", None),
            ("id", None),
            ("order", None),
            ("trace_id", None),
            ("paid", None),
            ("gcp.project.id", None),
            ("messaging.message.id", None),
            ("enduser.id", None),
            ("", None),
            ("é", None),
            ("éid", None),
        ] {
            assert_eq!(business_key(name), want, "{name}");
        }
    }

    #[test]
    fn keys_are_what_their_words_say() {
        for (key, (a, b)) in BUSINESS_KEYS.iter().zip(WORDS) {
            assert_eq!(key.to_ascii_lowercase(), format!("{a}{b}"));
        }
    }
}
