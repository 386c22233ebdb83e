namespace Muster.Domain.Trust;

/// <summary>What follows from a finding or a suspicion.</summary>
public enum TrustAction
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Nothing: it is not even noted.</summary>
    Ignore = 1,

    /// <summary>It is noted and told; the device stays in service. A suspicion restricts it.</summary>
    Report = 2,

    /// <summary>The device moves to quarantine.</summary>
    Quarantine = 3,
}

/// <summary>A tenant's rules of continuous trust. Who sets none has <see cref="Default"/>.</summary>
[GenerateSerializer, Immutable, Alias("muster.trust-rules")]
public sealed record TrustRules
{
    /// <summary>
    /// Everything quarantines but an image that the catalogue does not have: what a maker ships runs his images, and none of them need be
    /// published here. A tenant who publishes what he runs makes it stricter.
    /// </summary>
    public static TrustRules Default { get; } = new();

    /// <summary>Grows with every change; 0 for the default.</summary>
    [Id(0)] public long Revision { get; init; }

    [Id(1)] public TrustAction SecureBootLost { get; init; } = TrustAction.Quarantine;

    [Id(2)] public TrustAction ImageUnknown { get; init; } = TrustAction.Report;

    [Id(3)] public TrustAction OsBelowFloor { get; init; } = TrustAction.Quarantine;

    [Id(4)] public TrustAction CustomFirmwareCertificate { get; init; } = TrustAction.Quarantine;

    [Id(5)] public TrustAction KeyUnderTwoSerials { get; init; } = TrustAction.Quarantine;

    [Id(6)] public TrustAction AlternatingBoots { get; init; } = TrustAction.Quarantine;

    [Id(7)] public TrustAction OlderConnectionAlive { get; init; } = TrustAction.Quarantine;

    /// <summary>Whether a device that a rule quarantined for findings comes back when no finding asks for quarantine any more.</summary>
    [Id(8)] public bool AutoRelease { get; init; }

    /// <summary>
    /// <see cref="TrustAction.Unspecified"/> for whoever has not chosen: who demands known images demands that they are named, and for
    /// others it is nothing. Chosen by who has devices whose maker's firmware names none.
    /// </summary>
    [Id(170)] public TrustAction ImageUnnamed { get; init; }

    public TrustAction Of(TrustFindingKind kind) => kind switch
    {
        TrustFindingKind.SecureBootLost => SecureBootLost,
        TrustFindingKind.ImageUnknown => ImageUnknown,
        TrustFindingKind.OsBelowFloor => OsBelowFloor,
        TrustFindingKind.CustomFirmwareCertificate => CustomFirmwareCertificate,
        TrustFindingKind.ImageUnnamed when ImageUnnamed != TrustAction.Unspecified => ImageUnnamed,
        TrustFindingKind.ImageUnnamed => ImageUnknown == TrustAction.Quarantine ? TrustAction.Quarantine : TrustAction.Ignore,
        _ => throw new UnreachableException($"There is no rule for finding {kind}."),
    };

    public TrustAction Of(SuspicionKind kind) => kind switch
    {
        SuspicionKind.KeyUnderTwoSerials => KeyUnderTwoSerials,
        SuspicionKind.AlternatingBoots => AlternatingBoots,
        SuspicionKind.OlderConnectionAlive => OlderConnectionAlive,
        _ => throw new UnreachableException($"There is no rule for suspicion {kind}."),
    };

    /// <summary>Replaces the rules; the same rules again change nothing.</summary>
    public static Decision<TrustRules> Set(TrustRules current, TrustRules wanted)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.FindInvalid() is { } field)
        {
            return Decision.Refuse(current, TrustErrors.RulesInvalid(field));
        }

        return wanted with { Revision = current.Revision } == current
            ? Decision.Unchanged(current)
            : Accept(wanted with { Revision = current.Revision + 1 });
    }

    private static Decision<TrustRules> Accept(TrustRules next) => Decision.Accept(next, new TrustRulesChanged(next));

    private string? FindInvalid()
    {
        (string Field, TrustAction Action)[] all =
        [
            ("secure_boot_lost", SecureBootLost), ("image_unknown", ImageUnknown), ("os_below_floor", OsBelowFloor),
            ("custom_firmware_certificate", CustomFirmwareCertificate), ("key_under_two_serials", KeyUnderTwoSerials),
            ("alternating_boots", AlternatingBoots), ("older_connection_alive", OlderConnectionAlive),
            ("image_unnamed", Of(TrustFindingKind.ImageUnnamed)),
        ];
        return all.FirstOrDefault(rule => rule.Action is not (TrustAction.Ignore or TrustAction.Report or TrustAction.Quarantine)).Field;
    }
}
