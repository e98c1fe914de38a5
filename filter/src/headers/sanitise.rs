//! Takes names that upstreams trust out of what a client sent.

use super::{Edits, FoldedName};
use crate::request::Request;

/// Everything that begins with this belongs to the gate.
pub const GATEHOUSE_PREFIX: &str = "x-gatehouse-";

/// What upstreams commonly believe about who is asking and for what, beyond the identity headers of the configuration.
/// A gate that faces clients takes them out; one inside a mesh may get them from a gate before it.
/// Left alone are the names that Envoy or the mesh set themselves (`x-envoy-*`, `x-forwarded-for`, `x-forwarded-host`,
/// `x-forwarded-client-cert`): Envoy's own edge settings deal with these.
pub const EDGE_NAMES: [&str; 12] = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-uri",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "forwarded",
];

/// The names that only the gate may set.
#[derive(Debug, Clone, Default)]
pub struct Sanitiser {
    names: Vec<FoldedName>,
    prefixes: Vec<FoldedName>,
}

impl Sanitiser {
    /// A sanitiser for these names and these beginnings of names.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, prefixes: impl IntoIterator<Item = &'a str>) -> Self {
        let folded = |name: &str| FoldedName::new(name.as_bytes());
        let mut names: Vec<_> = names.into_iter().map(folded).collect();
        names.sort();
        names.dedup();
        Self {
            names,
            prefixes: prefixes.into_iter().map(folded).collect(),
        }
    }

    /// Whether only the gate may set this name, in whatever spelling it comes.
    #[must_use]
    pub fn trusts(&self, name: &[u8]) -> bool {
        self.names.iter().any(|trusted| trusted.matches(name))
            || self.prefixes.iter().any(|trusted| trusted.is_prefix_of(name))
    }

    /// The name of the configuration, or the beginning of one, that a name folds to; `None` for one that is not trusted.
    #[must_use]
    pub fn trusted_form(&self, name: &[u8]) -> Option<&str> {
        let names = self.names.iter().find(|trusted| trusted.matches(name));
        let prefixes = || self.prefixes.iter().find(|trusted| trusted.is_prefix_of(name));
        names.or_else(prefixes).map(FoldedName::as_str)
    }

    /// Removes every trusted name that the client sent, and every mention of one in `Connection`: a name listed there is
    /// dropped by the next hop (RFC 9110, section 7.6.1), and ours must arrive.
    pub fn sanitise(&self, request: &impl Request, edits: &mut Edits) {
        for (name, _) in request.headers() {
            if self.trusts(name)
                && let Ok(name) = std::str::from_utf8(name)
            {
                edits.remove(name);
            }
        }
        for name in ["connection", "proxy-connection"] {
            self.sanitise_list(request, name, edits);
        }
    }

    fn sanitise_list(&self, request: &impl Request, name: &str, edits: &mut Edits) {
        let options = || {
            request
                .values(name)
                .flat_map(|value| value.split(|byte| *byte == b','))
                .map(<[u8]>::trim_ascii)
        };
        if !options().any(|option| self.trusts(option)) {
            return;
        }
        let kept: Vec<&[u8]> = options()
            .filter(|option| !option.is_empty() && !self.trusts(option))
            .collect();
        if kept.is_empty() {
            edits.remove(name);
        } else {
            edits.set(name, kept.join(&b", "[..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Edit;
    use crate::testing::{request, test};

    fn sanitiser() -> Sanitiser {
        Sanitiser::new(
            ["x-user-id", "X-User-Name"].into_iter().chain(EDGE_NAMES),
            [GATEHOUSE_PREFIX],
        )
    }

    fn edits(headers: &[(&str, &str)]) -> Vec<Edit> {
        let mut edits = Edits::default();
        sanitiser().sanitise(&request(headers), &mut edits);
        edits.into_edits().collect()
    }

    #[test]
    fn every_spelling_of_a_trusted_name_is_taken_out() {
        for name in [
            "x-user-id",
            "X-User-Id",
            "X-USER-ID",
            "x_user_id",
            "X_USER_ID",
            "x.user.id",
            "X.User.Id",
            "x-user_id",
            "x_user-id",
            "x.user-id",
            "x-user.id",
            "x~user~id",
            "x!user!id",
            "x#user#id",
            "x$user$id",
            "x%user%id",
            "x&user&id",
            "x'user'id",
            "x*user*id",
            "x+user+id",
            "x^user^id",
            "x`user`id",
            "x|user|id",
            "x user id",
            "x:user:id",
            "X|uSeR^iD",
            "x_user.id",
            "x.user_id",
            "x+user-id",
            "x-user~id",
            "x_User_Name",
            "X.USER.NAME",
            "x-gatehouse-cluster",
            "x_gatehouse_cluster",
            "X.Gatehouse.Cluster",
            "x-gatehouse_anything-else",
            "Forwarded",
            "x_real_ip",
            "X_Original_URL",
            "x-http_method-override",
            "x_forwarded_preferred_username",
        ] {
            assert_eq!(edits(&[(name, "forged")]), [Edit::Remove(name.to_owned())], "{name}");
        }
    }

    #[test]
    fn names_that_are_not_trusted_stay() {
        for name in [
            "x-user-idx",
            "xx-user-id",
            "x-user",
            "x-user-id-",
            "xuserid",
            "x-gatehouse",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-client-cert",
            "x-envoy-upstream-rq-timeout-ms",
            "authorization",
        ] {
            assert_eq!(edits(&[(name, "kept")]), [], "{name}");
        }
    }

    #[test]
    fn many_occurrences_need_one_removal() {
        assert_eq!(
            edits(&[("x-user-id", "a"), ("accept", "*/*"), ("x-user-id", "b")]),
            [Edit::Remove("x-user-id".to_owned())]
        );
    }

    #[test]
    fn connection_can_not_make_a_later_hop_drop_our_headers() {
        let set = |value: &str| vec![Edit::Set("connection".to_owned(), value.as_bytes().to_vec())];
        for (value, expected) in [
            ("keep-alive", vec![]),
            ("upgrade", vec![]),
            ("x-user-id", vec![Edit::Remove("connection".to_owned())]),
            (" X_User_Id ,", vec![Edit::Remove("connection".to_owned())]),
            ("close, x-user-id", set("close")),
            ("Upgrade,x.user.id , Keep-Alive", set("Upgrade, Keep-Alive")),
            ("x-gatehouse-cluster, close", set("close")),
        ] {
            assert_eq!(edits(&[("connection", value)]), expected, "{value}");
        }
        assert_eq!(
            edits(&[("connection", "close"), ("connection", "x-user-id")]),
            set("close")
        );
        assert_eq!(
            edits(&[("proxy-connection", "x-user-id")]),
            [Edit::Remove("proxy-connection".to_owned())]
        );
    }
}
