namespace Muster.Domain.Identity;

/// <summary>Who signed the certificate that an identity was read from.</summary>
public enum IdentityKind
{
    /// <summary>Identities stored by versions before there were others: the maker's.</summary>
    Unspecified = 0,

    /// <summary>The device's maker (IEEE 802.1AR IDevID): proves which device it is, from its first connection to its last.</summary>
    Maker = 1,

    /// <summary>The installation's fleet CA (IEEE 802.1AR LDevID): short-lived, renewed by EST.</summary>
    Operational = 2,

    /// <summary>
    /// Nobody's: no certificate was seen here. A broker that the operator trusts authenticated the device and says which serial it is.
    /// </summary>
    Vouched = 3,
}
