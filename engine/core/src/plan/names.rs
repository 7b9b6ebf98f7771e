//! Names as people type them. Files keep the names of their columns as they are, and SQL without quotes does not care
//! about case, so a bare word that is a known name but for its case becomes that name. Changing the case of a keyword
//! or a function changes nothing, which is why this can work on tokens. Quoted names are exact.

use std::collections::{HashMap, HashSet};

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// The names that sources give.
#[derive(Debug, Default)]
pub struct Names {
    exact: HashSet<String>,
    by_lower: HashMap<String, Vec<String>>,
}

impl Names {
    /// Add a table or a column.
    pub fn add(&mut self, name: &str) {
        if self.exact.insert(name.to_owned()) {
            self.by_lower
                .entry(name.to_lowercase())
                .or_default()
                .push(name.to_owned());
        }
    }

    /// The one name that `word` is but for its case.
    fn only(&self, word: &str) -> Option<&str> {
        match self.by_lower.get(&word.to_lowercase()).map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        }
    }
}

/// Where an alias is given: its position among the tokens, and how deep in parentheses.
type Place = (usize, usize);

/// Give bare words the case of the names they stand for.
pub fn settle_case(tokens: &mut [TokenWithSpan], names: &Names) {
    let aliases = aliases(tokens);
    let mut defined = Names::default();
    aliases.keys().for_each(|alias| defined.add(alias));
    let mut depth = 0_usize;
    let mut after_as = false;
    for (position, token) in tokens.iter_mut().enumerate() {
        match &mut token.token {
            Token::Whitespace(_) => {}
            Token::Word(word) if word.quote_style.is_none() => {
                if !after_as
                    && let Some(name) =
                        settled(&word.value, (position, depth), names, &defined, &aliases)
                {
                    word.value = name.to_owned();
                }
                after_as = word.value.eq_ignore_ascii_case("as");
            }
            other => {
                after_as = false;
                depth = deeper(depth, other);
            }
        }
    }
}

fn deeper(depth: usize, token: &Token) -> usize {
    match token {
        Token::LParen => depth + 1,
        Token::RParen => depth.saturating_sub(1),
        _ => depth,
    }
}

/// The name that a word at a place stands for, where it is not the word itself.
fn settled<'a>(
    word: &str,
    place: Place,
    names: &'a Names,
    defined: &'a Names,
    aliases: &HashMap<String, Vec<Place>>,
) -> Option<&'a str> {
    if names.exact.contains(word) {
        return None;
    }
    match aliases.get(word) {
        Some(places) if places.iter().any(|given| is_seen(*given, place)) => None,
        Some(_) => names.only(word),
        None => names.only(word).or_else(|| defined.only(word)),
    }
}

/// Whether a word can mean an alias: what is around a subquery sees its aliases, and so does what follows beside it.
/// In `sum(total) AS total` over a column `Total`, as in `HAVING sum(total) > 1`, it means the column.
fn is_seen(given: Place, word: Place) -> bool {
    word.1 < given.1 || (word.1 == given.1 && word.0 > given.0)
}

/// The words that follow AS, and those that AS ( follows, with their places.
fn aliases(tokens: &[TokenWithSpan]) -> HashMap<String, Vec<Place>> {
    let mut depth = 0;
    let mut words: Vec<(Place, &Token)> = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        if !matches!(token.token, Token::Whitespace(_)) {
            words.push(((position, depth), &token.token));
        }
        depth = deeper(depth, &token.token);
    }
    let mut found: HashMap<String, Vec<Place>> = HashMap::new();
    let mut add = |at: Option<&(Place, &Token)>| {
        if let Some((place, Token::Word(word))) = at
            && word.quote_style.is_none()
        {
            found.entry(word.value.clone()).or_default().push(*place);
        }
    };
    for (i, (_, token)) in words.iter().enumerate() {
        if !matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("as"))
        {
            continue;
        }
        match words.get(i + 1) {
            Some((_, Token::LParen)) if i > 0 => add(words.get(i - 1)),
            next => add(next),
        }
    }
    found
}
