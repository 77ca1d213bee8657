//! What a new scenario can begin with.

/// A template.
pub(crate) struct Template {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What it shows, in a sentence.
    pub(crate) words: &'static str,
    pub(crate) text: &'static str,
}

/// All of them, the usual first.
pub(crate) const TEMPLATES: [Template; 4] = [
    Template {
        id: "place-order",
        title: "Place order",
        words: "An order is charged at once; the ERP system, mail and analytics can hear of it later. The ERP system is down for 90 s.",
        text: include_str!("templates/place-order.yaml"),
    },
    Template {
        id: "update-payment",
        title: "Payment update",
        words: "A user changes a card and needs the outcome now; subscriptions, fraud checks and mail follow.",
        text: include_str!("templates/update-payment.yaml"),
    },
    Template {
        id: "change-customer",
        title: "Customer change fan-out",
        words: "One system holds the truth and four keep copies. A burst arrives, one copy is down.",
        text: include_str!("templates/change-customer.yaml"),
    },
    Template {
        id: "create-document",
        title: "Document creation",
        words: "Rendering takes seconds and works at its own pace; the user only needs to know that it will be done.",
        text: include_str!("templates/create-document.yaml"),
    },
];

/// A template by its id.
pub(crate) fn template(id: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|t| t.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::check;

    #[test]
    fn templates_are_right() {
        for template in &TEMPLATES {
            let checked = check(template.text, std::path::Path::new("."));
            assert_eq!(checked.check.problems, [], "{}", template.id);
            assert!(checked.check.design.is_some_and(|d| d.variants_named && d.variants.len() >= 2));
        }
    }
}
