//! Rows into a document: only what differs is touched, so that comments, order and spelling of the rest stay as they are.

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Item, RawString, Table, Value, value};

/// The fields of a row of an array of tables: name and value; `None` leaves the field out.
pub(super) type Fields = Vec<(&'static str, Option<String>)>;

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

/// Makes a table of `name = "value"` hold these rows.
pub(super) fn pairs(document: &mut DocumentMut, section: &str, rows: &[(String, String)]) {
    if rows.is_empty() && !document.contains_key(section) {
        return;
    }
    let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else { return };
    let gone: Vec<String> =
        table.iter().map(|(k, _)| k.to_owned()).filter(|k| !rows.iter().any(|(name, _)| name == k)).collect();
    for name in gone {
        // A comment on the line above belongs to the row; what a blank line sets apart belongs to the file.
        let prefix = table.key(&name).map(|k| text(k.leaf_decor().prefix())).unwrap_or_default();
        let at = table.iter().position(|(k, _)| k == name).unwrap_or_default();
        table.remove(&name);
        let Some((kept, _)) = prefix.rsplit_once("\n\n") else { continue };
        let next = table.iter().nth(at).map(|(k, _)| k.to_owned());
        if let Some(mut key) = next.and_then(|n| table.key_mut(&n)) {
            let own = text(key.leaf_decor().prefix());
            key.leaf_decor_mut().set_prefix(format!("{kept}\n\n{own}"));
        }
    }
    for (name, new) in rows {
        set(table.entry(name).or_insert(Item::None), new);
    }
}

/// Sets a text, keeping the comment behind it.
fn set(item: &mut Item, new: &str) {
    if item.as_str() == Some(new) {
        return;
    }
    let decor = item.as_value().map(|v| v.decor().clone());
    *item = value(new);
    if let (Some(decor), Some(v)) = (decor, item.as_value_mut()) {
        *v.decor_mut() = decor;
    }
}

/// Sets a value inside of a table, which is made when it is needed; `None` takes it away. The comment behind it stays.
pub(super) fn value_in(document: &mut DocumentMut, section: &str, name: &str, new: Option<Value>) {
    if new.is_none() && !document.contains_key(section) {
        return;
    }
    let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else { return };
    let Some(mut new) = new else {
        table.remove(name);
        return;
    };
    let item = table.entry(name).or_insert(Item::None);
    if let Some(known) = item.as_value() {
        *new.decor_mut() = known.decor().clone();
    }
    *item = Item::Value(new);
}

/// Makes an array of tables hold these rows. `key` names the field that tells rows apart.
pub(super) fn tables(document: &mut DocumentMut, section: &str, key: &str, rows: &[Fields]) {
    let old = match document.remove(section) {
        Some(Item::ArrayOfTables(tables)) => tables.into_iter().collect(),
        // `section = [{…}]`: the same rows, written in one line.
        Some(Item::Value(Value::Array(array))) => {
            array.into_iter().filter_map(|v| v.as_inline_table().cloned().map(|t| t.into_table())).collect()
        }
        _ => Vec::new(),
    };
    let mut places: Vec<isize> = old.iter().filter_map(Table::position).collect();
    places.sort_unstable();
    let first_comment = old.first().map(|t| text(t.decor().prefix())).unwrap_or_default();
    let had_first = old.first().and_then(|t| t.get(key)?.as_str().map(str::to_owned));
    let mut old: Vec<Option<Table>> = old.into_iter().map(Some).collect();
    let mut out = ArrayOfTables::new();
    for fields in rows {
        let name = fields.iter().find(|(f, _)| *f == key).and_then(|(_, v)| v.as_deref());
        let known = old.iter_mut().find(|t| t.as_ref().and_then(|t| t.get(key)).and_then(Item::as_str) == name);
        let mut table = known.and_then(Option::take).unwrap_or_default();
        for (field, new) in fields {
            match new {
                Some(new) => set(table.entry(field).or_insert(Item::None), new),
                None => {
                    table.remove(field);
                }
            }
        }
        out.push(table);
    }
    if out.is_empty() {
        keep_comment(document, &first_comment);
        return;
    }
    // Rows stand in this order, from where the first one stood.
    let mut place = places.first().copied();
    for (i, table) in out.iter_mut().enumerate() {
        place = places.get(i).copied().or(place);
        table.set_position(place);
    }
    let first_stays = out.iter().any(|t| t.get(key).and_then(Item::as_str) == had_first.as_deref());
    if !first_stays
        && !first_comment.trim().is_empty()
        && let Some(first) = out.get_mut(0)
    {
        let own = text(first.decor().prefix());
        first.decor_mut().set_prefix(format!("{first_comment}{}", own.trim_start_matches('\n')));
    }
    document.insert(section, Item::ArrayOfTables(out));
}

/// A section's comment outlives its last row: it goes to the end of the file.
fn keep_comment(document: &mut DocumentMut, comment: &str) {
    if !comment.trim().is_empty() {
        let trailing = text(Some(document.trailing()));
        document.set_trailing(format!("{comment}{trailing}"));
    }
}

/// Makes a list of texts hold these, in this order; `None` takes the list away.
pub(super) fn list(document: &mut DocumentMut, section: &str, rows: Option<&[String]>) {
    let Some(rows) = rows else {
        if let Some((key, _)) = document.as_table_mut().remove_entry(section) {
            pass_on(document, &text(key.leaf_decor().prefix()));
        }
        return;
    };
    let Some(array) = document.get_mut(section).and_then(Item::as_array_mut) else {
        insert_list(document, section, rows);
        return;
    };
    let mut at = 0;
    while at < array.len() {
        match array.get(at).and_then(Value::as_str) {
            Some(known) if rows.iter().any(|r| r == known) => at += 1,
            _ => remove(array, at),
        }
    }
    let have: Vec<&str> = array.iter().filter_map(Value::as_str).collect();
    let kept: Vec<&str> = rows.iter().map(String::as_str).filter(|r| have.contains(r)).collect();
    if have != kept {
        // Another order: comments go with their texts.
        let rank = |v: &Value| rows.iter().position(|r| Some(r.as_str()) == v.as_str());
        array.sort_by_key(|v| rank(v));
    }
    for (i, row) in rows.iter().enumerate() {
        if array.get(i).and_then(Value::as_str) != Some(row) {
            add(array, i, row);
        }
    }
}

/// The same inside of a table, which is made when it is needed and stays when its lists are empty.
pub(super) fn list_in(document: &mut DocumentMut, section: &str, name: &str, rows: &[String]) {
    let known = document.get(section).and_then(|t| t.get(name)).and_then(Item::as_array);
    if known.is_none() && rows.is_empty() {
        return;
    }
    let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else { return };
    let mut array = known_array(table.get(name));
    array.retain(|v| v.as_str().is_some_and(|v| rows.iter().any(|r| r == v)));
    for row in rows.iter().filter(|r| !array.iter().any(|v| v.as_str() == Some(r.as_str()))).collect::<Vec<_>>() {
        array.push(row.as_str());
    }
    table.insert(name, value(array));
}

fn known_array(item: Option<&Item>) -> Array {
    item.and_then(Item::as_array).cloned().unwrap_or_default()
}

/// The comment behind a value, on its line, is told by the parser as the beginning of what follows: up to the line's end.
fn line_end(prefix: &str) -> (&str, &str) {
    prefix.split_at(prefix.find('\n').unwrap_or(0))
}

fn remove(array: &mut Array, at: usize) {
    let own = array.get(at).map(|v| text(v.decor().prefix())).unwrap_or_default();
    array.remove(at);
    // What stands at the end of the line before belongs to the line before.
    let (before, _) = line_end(&own);
    match array.get_mut(at) {
        Some(next) => {
            let prefix = text(next.decor().prefix());
            let prefix = if at == 0 { prefix.trim_start_matches(' ').to_owned() } else { prefix };
            let (_, rest) = line_end(&prefix);
            next.decor_mut().set_prefix(format!("{before}{rest}"));
        }
        None => {
            let trailing = text(Some(array.trailing()));
            let (_, rest) = line_end(&trailing);
            array.set_trailing(format!("{before}{rest}"));
        }
    }
}

fn add(array: &mut Array, at: usize, row: &str) {
    let trailing = text(Some(array.trailing()));
    let mut new = Value::from(row);
    let last = array.len().checked_sub(1).and_then(|l| array.get(l)).map(|v| text(v.decor().prefix()));
    let several_lines = trailing.contains('\n') || last.as_deref().is_some_and(|p| p.contains('\n'));
    let indent = last.as_deref().and_then(|p| p.rsplit_once('\n')).map_or("    ", |(_, i)| i).to_owned();
    let prefix = match (several_lines, at == array.len()) {
        (true, true) => {
            let (comment, rest) = line_end(&trailing);
            let prefix = format!("{comment}\n{indent}");
            let rest = if rest.is_empty() { "\n".to_owned() } else { rest.to_owned() };
            array.set_trailing(rest);
            array.set_trailing_comma(true);
            prefix
        }
        (true, false) => format!("\n{indent}"),
        (false, _) => if at == 0 { "" } else { " " }.to_owned(),
    };
    *new.decor_mut() = Decor::new(prefix, "");
    array.insert_formatted(at, new);
}

fn insert_list(document: &mut DocumentMut, section: &str, rows: &[String]) {
    let mut array = Array::new();
    for row in rows {
        let mut new = Value::from(row.as_str());
        *new.decor_mut() = Decor::new(if rows.len() > 1 { "\n    " } else { "" }, "");
        array.push_formatted(new);
    }
    if rows.len() > 1 {
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    let first_value = !document.iter().any(|(_, item)| item.is_value());
    document.insert(section, Item::Value(Value::Array(array)));
    if first_value {
        below_heading(document, section);
    }
}

/// The first value of a file stands above all tables, but below the comment that heads the file.
fn below_heading(document: &mut DocumentMut, section: &str) {
    let Some(table) = first_table(document) else { return };
    let prefix = text(table.decor().prefix());
    let Some((heading, rest)) = prefix.split_once("\n\n") else {
        table.decor_mut().set_prefix(format!("\n{prefix}"));
        return;
    };
    table.decor_mut().set_prefix(format!("\n{rest}"));
    if let Some(mut key) = document.as_table_mut().key_mut(section) {
        key.leaf_decor_mut().set_prefix(format!("{heading}\n\n"));
    }
}

/// A comment of a value that went: what a blank line sets apart from it stays.
fn pass_on(document: &mut DocumentMut, prefix: &str) {
    let Some((kept, _)) = prefix.rsplit_once("\n\n") else { return };
    let next = document.iter().find(|(_, item)| item.is_value()).map(|(k, _)| k.to_owned());
    if let Some(next) = next
        && let Some(mut key) = document.as_table_mut().key_mut(&next)
    {
        let own = text(key.leaf_decor().prefix());
        key.leaf_decor_mut().set_prefix(format!("{kept}\n\n{own}"));
    } else if let Some(table) = first_table(document) {
        let own = text(table.decor().prefix());
        table.decor_mut().set_prefix(format!("{kept}\n{own}"));
    } else {
        keep_comment(document, kept);
    }
}

fn first_table(document: &mut DocumentMut) -> Option<&mut Table> {
    let tables = document.iter_mut().filter_map(|(_, item)| match item {
        Item::Table(table) => Some(table),
        Item::ArrayOfTables(tables) => tables.get_mut(0),
        _ => None,
    });
    tables.min_by_key(|t| t.position().unwrap_or(isize::MAX))
}
