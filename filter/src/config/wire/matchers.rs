//! What rules and subjects match, as it is written: `RouteMatch`, `HeaderMatcher`, `QueryParameterMatcher`, `StringMatcher`.

use super::super::reader::Fields;

/// Members of `RouteMatch` that routes know and the native filter passes over in silence, so that its rule matches more
/// than it says; and what to write instead.
const IGNORED: [(&str, &str); 6] = [
    (
        "grpc",
        "the native filter ignores it; match on headers: content-type with the prefix application/grpc",
    ),
    (
        "runtime_fraction",
        "the native filter ignores it; leave it out, since a request needs a token always or never",
    ),
    (
        "tls_context",
        "the native filter ignores it; leave it out, and require client certificates in the listener's transport_socket",
    ),
    (
        "dynamic_metadata",
        "the native filter ignores it; leave it out, or choose the requirement by filter_state_rules",
    ),
    (
        "filter_state",
        "the native filter ignores it; leave it out, or choose the requirement by filter_state_rules",
    ),
    (
        "cookies",
        "the native filter ignores it; match on headers: cookie with contains or safe_regex",
    ),
];

/// The part of `RouteMatch` that is supported.
#[derive(Debug)]
pub(in crate::config) struct Match {
    pub(in crate::config) path: String,
    pub(in crate::config) prefix: Option<String>,
    pub(in crate::config) exact: Option<String>,
    pub(in crate::config) path_separated_prefix: Option<String>,
    pub(in crate::config) safe_regex: Option<SafeRegex>,
    pub(in crate::config) connect: Option<()>,
    pub(in crate::config) path_match_policy: Option<MatchPolicy>,
    pub(in crate::config) case_sensitive: Option<bool>,
    pub(in crate::config) headers: Vec<HeaderMatcher>,
    pub(in crate::config) query_parameters: Vec<ParameterMatcher>,
}

impl Match {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        for (name, instead) in IGNORED {
            fields.unsupported(name, instead);
        }
        Self {
            path: fields.path(),
            prefix: fields.string("prefix"),
            exact: fields.string("path"),
            path_separated_prefix: fields.string("path_separated_prefix"),
            safe_regex: fields.object("safe_regex", SafeRegex::read),
            connect: fields.object("connect_matcher", |_| ()),
            path_match_policy: fields.object("path_match_policy", MatchPolicy::read),
            case_sensitive: fields.flag("case_sensitive"),
            headers: fields.list("headers", HeaderMatcher::read),
            query_parameters: fields.list("query_parameters", ParameterMatcher::read),
        }
    }
}

/// `TypedExtensionConfig` with an `UriTemplateMatchConfig`, the one policy that Envoy has.
#[derive(Debug)]
pub(in crate::config) struct MatchPolicy {
    pub(in crate::config) name: String,
    pub(in crate::config) path: String,
    pub(in crate::config) type_url: Option<String>,
    pub(in crate::config) path_template: Option<String>,
}

impl MatchPolicy {
    fn read(fields: &mut Fields<'_>) -> Self {
        // The type says what it is; the native filter wants a name too, whichever.
        let name = fields.string("name").unwrap_or_default();
        let typed = fields.object("typed_config", |fields| {
            (fields.string("@type"), fields.string("path_template"))
        });
        let (type_url, path_template) = typed.unwrap_or_default();
        Self {
            name,
            path: fields.path(),
            type_url,
            path_template,
        }
    }
}

/// `RegexMatcher`
#[derive(Debug)]
pub(in crate::config) struct SafeRegex {
    pub(in crate::config) path: String,
    pub(in crate::config) regex: String,
}

impl SafeRegex {
    fn read(fields: &mut Fields<'_>) -> Self {
        // The engine is RE2 anyway; what used to be said of it is said no more.
        fields.object("google_re2", |fields| fields.integer("max_program_size"));
        Self {
            path: fields.path(),
            regex: fields.string("regex").unwrap_or_default(),
        }
    }
}

/// `StringMatcher`
#[derive(Debug)]
pub(in crate::config) struct StringMatcher {
    pub(in crate::config) path: String,
    pub(in crate::config) exact: Option<String>,
    pub(in crate::config) prefix: Option<String>,
    pub(in crate::config) suffix: Option<String>,
    pub(in crate::config) contains: Option<String>,
    pub(in crate::config) safe_regex: Option<SafeRegex>,
    pub(in crate::config) ignore_case: bool,
}

impl StringMatcher {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.unsupported("custom", "write exact, prefix, suffix, contains or safe_regex");
        Self {
            path: fields.path(),
            exact: fields.string("exact"),
            prefix: fields.string("prefix"),
            suffix: fields.string("suffix"),
            contains: fields.string("contains"),
            safe_regex: fields.object("safe_regex", SafeRegex::read),
            ignore_case: fields.flag("ignore_case").unwrap_or_default(),
        }
    }
}

/// `HeaderMatcher`, with the older fields that `string_match` has replaced.
#[derive(Debug)]
pub(in crate::config) struct HeaderMatcher {
    pub(in crate::config) name: String,
    /// `string_match` and what stands for it.
    pub(in crate::config) string_match: Option<StringMatcher>,
    pub(in crate::config) older: StringMatcher,
    pub(in crate::config) range: Option<(i64, i64)>,
    pub(in crate::config) present: Option<bool>,
    pub(in crate::config) invert: bool,
    pub(in crate::config) missing_is_empty: bool,
}

impl HeaderMatcher {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: fields.string("name").unwrap_or_default(),
            string_match: fields.object("string_match", StringMatcher::read),
            older: StringMatcher {
                path: fields.path(),
                exact: fields.string("exact_match"),
                prefix: fields.string("prefix_match"),
                suffix: fields.string("suffix_match"),
                contains: fields.string("contains_match"),
                safe_regex: fields.object("safe_regex_match", SafeRegex::read),
                ignore_case: false,
            },
            range: fields.object("range_match", |fields| {
                let start = fields.signed("start").unwrap_or_default();
                (start, fields.signed("end").unwrap_or_default())
            }),
            present: fields.flag("present_match"),
            invert: fields.flag("invert_match").unwrap_or_default(),
            missing_is_empty: fields.flag("treat_missing_header_as_empty").unwrap_or_default(),
        }
    }
}

/// `QueryParameterMatcher`
#[derive(Debug)]
pub(in crate::config) struct ParameterMatcher {
    pub(in crate::config) path: String,
    pub(in crate::config) name: String,
    pub(in crate::config) string_match: Option<StringMatcher>,
    pub(in crate::config) present: Option<bool>,
}

impl ParameterMatcher {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            name: fields.string("name").unwrap_or_default(),
            string_match: fields.object("string_match", StringMatcher::read),
            present: fields.flag("present_match"),
        }
    }
}
