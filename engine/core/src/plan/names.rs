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
            self.by_lower.entry(name.to_lowercase()).or_default().push(name.to_owned());
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

/// Give bare words the case of the names they stand for.
pub fn settle_case(tokens: &mut [TokenWithSpan], names: &Names) {
    let aliases = aliases(tokens);
    let mut defined = Names::default();
    aliases.keys().for_each(|alias| defined.add(alias));
    let mut after_as = false;
    for (position, token) in tokens.iter_mut().enumerate() {
        match &mut token.token {
            Token::Whitespace(_) => {}
            Token::Word(word) if word.quote_style.is_none() => {
                if !after_as && let Some(name) = settled(&word.value, position, names, &defined, &aliases) {
                    word.value = name.to_owned();
                }
                after_as = word.value.eq_ignore_ascii_case("as");
            }
            _ => after_as = false,
        }
    }
}

/// The name that a word at a position stands for, where it is not the word itself.
fn settled<'a>(
    word: &str,
    position: usize,
    names: &'a Names,
    defined: &'a Names,
    aliases: &HashMap<String, usize>,
) -> Option<&'a str> {
    if names.exact.contains(word) {
        return None;
    }
    match aliases.get(word) {
        // `sum(total) AS total` over a column `Total`: the first is the column, what follows is the alias.
        Some(defined_at) if position < *defined_at => names.only(word),
        Some(_) => None,
        None => names.only(word).or_else(|| defined.only(word)),
    }
}

/// The words that follow AS, and those that AS ( follows, with their first position.
fn aliases(tokens: &[TokenWithSpan]) -> HashMap<String, usize> {
    let words: Vec<(usize, &Token)> = tokens
        .iter()
        .map(|token| &token.token)
        .enumerate()
        .filter(|(_, token)| !matches!(token, Token::Whitespace(_)))
        .collect();
    let mut found = HashMap::new();
    let mut add = |at: Option<&(usize, &Token)>| {
        if let Some((position, Token::Word(word))) = at
            && word.quote_style.is_none()
        {
            found.entry(word.value.clone()).or_insert(*position);
        }
    };
    for (i, (_, token)) in words.iter().enumerate() {
        if !matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("as")) {
            continue;
        }
        match words.get(i + 1) {
            Some((_, Token::LParen)) if i > 0 => add(words.get(i - 1)),
            next => add(next),
        }
    }
    found
}
