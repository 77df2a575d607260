//! Designs that had another name in records of older schemas.

/// Returns today's name of a design, from the one in a record of this schema.
///
/// Up to schema 1 `split` was the design now called `memdesc`: a word per frame and descriptors
/// allocated apart. Now `split` is another design, typed views over the array of pages, which no
/// record of schema 1 can hold.
pub(crate) fn name_today(schema: u32, name: &mut String) {
    if schema < 2 && name == "split" {
        "memdesc".clone_into(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_of_schema_1_is_memdesc_and_nothing_else_changed_its_name() {
        for (schema, name, today) in [
            (1, "split", "memdesc"),
            (2, "split", "split"),
            (1, "memdesc", "memdesc"),
            (1, "flat", "flat"),
            (1, "", ""),
        ] {
            let mut found = name.to_owned();
            name_today(schema, &mut found);
            assert_eq!(found, today, "{name} of schema {schema}");
        }
    }
}
