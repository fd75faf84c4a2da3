//! Pictures inside a page that is dark: the same documents, recoloured by a style sheet.
//!
//! A picture carries its colours as attributes, so that it is right on its own; rules of a page come before attributes.

/// Rules for the pictures (`svg`) of a dark page: paper becomes see-through, ink light, and the colours that are read
/// on white get a lighter sister of the same hue.
pub const DARK: &str = "\
svg>rect[fill=\"white\"]{fill:none}
svg text{fill:#c9d1d9}
svg [fill=\"#222222\"],svg [fill=\"#000000\"]{fill:#e6edf3}
svg [stroke=\"#000000\"]{stroke:#e6edf3}
svg [stroke=\"#f2c4bd\"],svg [stroke=\"#fbe9e7\"]{stroke:#3b3432}
svg [stroke=\"#595959\"]{stroke:#8b949e}
svg [fill=\"#595959\"]{fill:#8b949e}
svg [stroke=\"#0072b2\"]{stroke:#5ab4f0}
svg [fill=\"#0072b2\"]{fill:#5ab4f0}
svg [stroke=\"#d55e00\"]{stroke:#ff8c42}
svg [fill=\"#d55e00\"]{fill:#ff8c42}
svg [stroke=\"#009e73\"]{stroke:#35d0a0}
svg [fill=\"#009e73\"]{fill:#35d0a0}
";

#[cfg(test)]
mod tests {
    use super::DARK;
    use crate::colours;

    #[test]
    fn every_colour_that_is_too_dark_for_a_dark_page_has_a_lighter_sister() {
        let luminance = |colour: &str| {
            let part = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap_or(0)) / 255.0;
            0.2126 * part(1).powf(2.2) + 0.7152 * part(3).powf(2.2) + 0.0722 * part(5).powf(2.2)
        };
        let named = [colours::BLUE, colours::VERMILLION, colours::BLACK, colours::GREEN, colours::GREY];
        for colour in named {
            assert!(luminance(colour) > 0.3 || DARK.contains(&format!("stroke=\"{colour}\"")), "{colour}");
        }
        for sister in DARK.split(['{', '}']).filter_map(|rule| rule.strip_prefix("fill:#")) {
            assert!(luminance(&format!("#{sister}")) > 0.25, "{sister}");
        }
    }
}
