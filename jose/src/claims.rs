//! The names that issuer and gate must agree on: claims, `typ` values and `token_type` values. Here, so that neither
//! half can spell one of them in its own way.

/// `iss`, the issuer (RFC 7519 section 4.1.1)
pub const ISSUER: &str = "iss";
/// `sub`, the subject (RFC 7519 section 4.1.2)
pub const SUBJECT: &str = "sub";
/// `aud`, the audience: a string or a list of strings (RFC 7519 section 4.1.3)
pub const AUDIENCE: &str = "aud";
/// `exp`, the expiration time (RFC 7519 section 4.1.4)
pub const EXPIRES_AT: &str = "exp";
/// `nbf`, not before (RFC 7519 section 4.1.5)
pub const NOT_BEFORE: &str = "nbf";
/// `iat`, issued at (RFC 7519 section 4.1.6)
pub const ISSUED_AT: &str = "iat";
/// `jti`, the token's own identifier (RFC 7519 section 4.1.7)
pub const JWT_ID: &str = "jti";

/// `scope`, space-separated words (RFC 8693 section 4.2)
pub const SCOPE: &str = "scope";
/// `scp`, the name by which several issuers write scopes, as a list or as words
pub const SCOPES: &str = "scp";
/// `client_id`, the OAuth client that the token was issued to (RFC 8693 section 4.3)
pub const CLIENT_ID: &str = "client_id";
/// `azp`, the authorised party: the client that an ID token was issued to (`OpenID` Connect Core 1.0 section 2), which many
/// issuers write into access tokens too
pub const AUTHORIZED_PARTY: &str = "azp";
/// `token_type`, by which Django `SimpleJWT` and its users tell access tokens from refresh tokens
pub const TOKEN_TYPE: &str = "token_type";
/// `user_id`, the name by which Django `SimpleJWT` calls the subject
pub const USER_ID: &str = "user_id";
/// `username`, the user's login name
pub const USERNAME: &str = "username";
/// `fid`, the family of a refresh token: all tokens that descend from one login
pub const FAMILY_ID: &str = "fid";

/// `typ` of an access token (RFC 9068 section 2.1)
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";
/// `typ` of a refresh token. No RFC has one; this one follows the pattern of the others.
pub const REFRESH_TOKEN_TYP: &str = "rt+jwt";

/// [`TOKEN_TYPE`] of an access token
pub const ACCESS_TOKEN_TYPE: &str = "access";
/// [`TOKEN_TYPE`] of a refresh token
pub const REFRESH_TOKEN_TYPE: &str = "refresh";
