namespace Muster.Domain.Deliveries;

/// <summary>What a delivery list may say of a device; its columns and members have these names in snake case.</summary>
public enum DeliveryColumn
{
    /// <summary>The serial number as it stands on the label or in the certificate. Required.</summary>
    Serial = 0,

    /// <summary>Whose serial it is: <c>axis</c> or <c>ieee8021ar</c>; without it, <c>axis</c> for what is the MAC address of one.</summary>
    Profile = 1,

    /// <summary>The product. Required.</summary>
    Model = 2,

    /// <summary>The order it was bought with.</summary>
    Order = 3,

    /// <summary>Where it goes.</summary>
    Site = 4,

    /// <summary>The first day of the warranty, <c>YYYY-MM-DD</c>.</summary>
    WarrantyStart = 5,

    /// <summary>Its calendar months.</summary>
    WarrantyMonths = 6,

    /// <summary>The only certificate it may enrol with: the SHA-256 of its DER form, in hex, with or without colons.</summary>
    CertificateSha256 = 7,

    /// <summary>The OS track; <c>active</c> without it.</summary>
    Track = 8,

    /// <summary>The lowest OS version it may enrol with.</summary>
    OsFloor = 9,

    /// <summary><c>automatic</c> or <c>manual</c>; automatic without it.</summary>
    Approval = 10,
}

/// <summary>The names of the columns.</summary>
public static class DeliveryColumns
{
    /// <summary>In the order of their numbers.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "serial", "profile", "model", "order", "site", "warranty_start", "warranty_months", "certificate_sha256", "track", "os_floor",
        "approval",
    ];

    public static string NameOf(DeliveryColumn column) => Names[(int)column];

    public static bool TryParse(string name, out DeliveryColumn column)
    {
        var index = Names.IndexOf(name);
        column = (DeliveryColumn)index;
        return index >= 0;
    }
}
