//! Kubernetes quantities: the API server writes `1024Mi` as `1Gi`, so texts cannot be compared.

/// The amount in base units; `None` when the text is no quantity.
pub fn amount(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let unit = match suffix {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

/// The amount in whole bytes, rounded down.
pub fn bytes(text: &str) -> Option<u64> {
    let amount = amount(text).filter(|amount| *amount >= 0.0 && *amount < 2f64.powi(63))?;
    // In range and not negative: only the fraction is lost.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked on the line above")]
    Some(amount as u64)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn equal_amounts_are_equal_however_they_are_written() {
        for (one, other) in [("1Gi", "1024Mi"), ("1", "1000m"), ("2k", "2000"), ("0.5Gi", "512Mi")] {
            assert_eq!(amount(one), amount(other), "{one} {other}");
        }
        for text in ["", "Gi", "1Gib", "team", "1.2.3"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
