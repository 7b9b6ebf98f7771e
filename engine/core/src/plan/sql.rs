//! SQL text to one query, and nothing but a query: what could change something, reach outside the job's sources or
//! run for its side effects is refused before it is planned.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, SelectItem, SetExpr, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::names::{Names, settle_case};
use crate::error::{EngineError, Result};

/// Longer SQL is not parsed.
pub const MAX_SQL_BYTES: usize = 1 << 20;

/// Deeper nesting is not parsed.
const MAX_DEPTH: usize = 100;

/// One query.
#[derive(Debug, Clone)]
pub struct Query {
    /// For the planner, with names for the columns of the result that have none.
    pub statement: Statement,
    /// As it will be run.
    pub text: String,
    /// Functions that stand where tables do.
    pub functions: Vec<String>,
}

impl Visitor for Query {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            self.functions.push(name.to_string());
        }
        ControlFlow::Continue(())
    }
}

/// Parse one query, its names settled by those of the sources.
///
/// # Errors
/// InvalidJob NOT_A_QUERY, SQL_INVALID, SQL_TOO_LONG.
pub fn parse(sql: &str, names: &Names) -> Result<Query> {
    if sql.len() > MAX_SQL_BYTES {
        let message = format!("The SQL is longer than {} KiB.", MAX_SQL_BYTES >> 10);
        return Err(EngineError::invalid_job("SQL_TOO_LONG", message));
    }
    let dialect = GenericDialect {};
    let mut tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|e| invalid(&e.to_string()))?;
    check_first(&tokens)?;
    settle_case(&mut tokens, names);
    let mut statements = Parser::new(&dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|e| invalid(e.to_string().trim_start_matches("sql parser error: ")))?;
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(not_a_query("There must be exactly one query."));
    };
    let ast::Statement::Query(mut query) = statement else {
        return Err(not_a_query("Only queries can be run."));
    };
    check_body(&query.body)?;
    if !query.locks.is_empty() {
        return Err(not_a_query("Rows of a file can't be locked."));
    }
    let text = query.to_string();
    name_columns(&mut query.body);
    let statement = ast::Statement::Query(query);
    let mut parsed = Query {
        statement: Statement::Statement(Box::new(statement.clone())),
        text,
        functions: Vec::new(),
    };
    let _ = statement.visit(&mut parsed);
    Ok(parsed)
}

fn invalid(message: &str) -> EngineError {
    EngineError::invalid_job("SQL_INVALID", format!("The SQL is not right: {message}."))
}

fn not_a_query(message: &str) -> EngineError {
    EngineError::invalid_job("NOT_A_QUERY", message)
        .hint("Write one SELECT; it may begin with WITH.")
}

/// Statements that are no queries are told apart here, because not all of them would parse.
fn check_first(tokens: &[TokenWithSpan]) -> Result<()> {
    let skipped = |token: &&Token| !matches!(token, Token::Whitespace(_) | Token::SemiColon);
    match tokens.iter().map(|token| &token.token).find(skipped) {
        None | Some(Token::EOF) => Err(not_a_query("There is no SQL.")),
        Some(Token::Word(word)) if word.quote_style.is_none() => match word.keyword {
            Keyword::SELECT
            | Keyword::WITH
            | Keyword::FROM
            | Keyword::VALUES
            | Keyword::TABLE
            | Keyword::NoKeyword => Ok(()),
            _ => Err(not_a_query(&format!(
                "{} is not a query.",
                word.value.to_uppercase()
            ))),
        },
        Some(_) => Ok(()),
    }
}

fn check_body(body: &SetExpr) -> Result<()> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => {
            Err(not_a_query("SELECT INTO makes a table."))
        }
        SetExpr::Query(query) => check_body(&query.body),
        SetExpr::SetOperation { left, right, .. } => {
            check_body(left).and_then(|()| check_body(right))
        }
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Err(not_a_query("Sources can't be changed."))
        }
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
    }
}

/// A column of the result that is an expression without a name is called what was written.
fn name_columns(body: &mut SetExpr) {
    match body {
        // Under DISTINCT the planner finds an expression of ORDER BY again only where it has no other name.
        SetExpr::Select(select) if select.distinct.is_none() => {
            select.projection.iter_mut().for_each(name_column)
        }
        SetExpr::Query(query) => name_columns(&mut query.body),
        SetExpr::SetOperation { left, .. } => name_columns(left),
        _ => {}
    }
}

fn name_column(item: &mut SelectItem) {
    let SelectItem::UnnamedExpr(expr) = item else {
        return;
    };
    if matches!(
        expr,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Wildcard(_)
    ) {
        return;
    }
    let alias = Ident::with_quote('"', expr.to_string());
    let expr = std::mem::replace(
        expr,
        Expr::Wildcard(ast::helpers::attached_token::AttachedToken::empty()),
    );
    *item = SelectItem::ExprWithAlias { expr, alias };
}
