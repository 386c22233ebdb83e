using Muster.Domain.Decommissioning;
using Muster.Domain.Identity;
using Muster.Domain.Policies;
using Muster.Domain.Trust;

namespace Muster.Domain.Devices;

/// <summary>
/// One device as committed. What operators want (<see cref="Desired"/>) and what the device is
/// (<see cref="Os"/>) are different fields; only rules compare them.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.device")]
public sealed record Device
{
    /// <summary>More than any device reports within a change, and a bound for the record.</summary>
    public const int BootsMax = 8;

    /// <summary>A rollout asks a device again within days, not eight rollouts later.</summary>
    public const int EarlierChangesMax = 8;

    // Ticks of UTC take half of what an instant with an offset does, in every device.
    private long _alarmsPacedUntil;
    private long _stateChangedAt;
    private long _createdAt;
    private long _lastHelloAt;
    private IdentityKind _lastHelloBy;

    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required DeviceId Id { get; init; }

    [Id(2)] public required DeviceState State { get; init; }

    public required DateTimeOffset StateChangedAt
    {
        get => new(_stateChangedAt, TimeSpan.Zero);
        init => _stateChangedAt = value.UtcTicks;
    }

    [Id(4)] public required ExpectedDevice Expected { get; init; }

    /// <summary>The request id that created it (AIP-155).</summary>
    [Id(5)] public required string RequestId { get; init; }

    public required DateTimeOffset CreatedAt
    {
        get => new(_createdAt, TimeSpan.Zero);
        init => _createdAt = value.UtcTicks;
    }

    /// <summary>The identity on record, from the enrolment on; null before.</summary>
    [Id(7)] public DeviceIdentity? Identity { get; init; }

    /// <summary>The model that the device says it is; empty before its first hello.</summary>
    [Id(8)] public string Model { get; init; } = "";

    /// <summary>What runs; null before the first accepted hello.</summary>
    [Id(9)] public ReportedOs? Os { get; init; }

    /// <summary>The track it is on; a rollout across tracks moves it.</summary>
    [Id(10)] public string Track { get; init; } = "";

    [Id(11)] public DesiredState Desired { get; init; } = DesiredState.None;

    /// <summary>The highest generation that the device named.</summary>
    [Id(12)] public long GenerationReached { get; init; }

    /// <summary>The one change in progress (I2); null when there is none.</summary>
    [Id(13)] public ChangeInProgress? Change { get; init; }

    /// <summary>The change that ended last; null before the first.</summary>
    [Id(14)] public ClosedChange? LastChange { get; init; }

    /// <summary>The last boots with their highest sequence per kind, newest last; at most <see cref="BootsMax"/>.</summary>
    [Id(15)] public ImmutableArray<BootSequences> Boots { get; init; } = [];

    /// <summary>The highest epoch ever committed; the next session's is above it.</summary>
    [Id(16)] public long Epoch { get; init; }

    [Id(17)] public ComplianceReport Compliance { get; init; } = ComplianceReport.NotEvaluated;

    /// <summary>The one-shot command that waits for its answer; null when there is none.</summary>
    [Id(18)] public DeviceCommand? Command { get; init; }

    /// <summary>The lowest OS version it may run, from its expectation, growing never shrinking; empty for none.</summary>
    [Id(19)] public string OsFloor { get; init; } = "";

    /// <summary>
    /// The verified proof that made it a tombstone; null before <see cref="DeviceState.Decommissioned"/>, never after (I9).
    /// </summary>
    [Id(20)] public ErasureEvidence? Erasure { get; init; }

    /// <summary>
    /// Changes that ended before <see cref="LastChange"/>, newest last, at most <see cref="EarlierChangesMax"/>: one that was closed
    /// is never offered again.
    /// </summary>
    [Id(21)] public ImmutableArray<ClosedChange> EarlierChanges { get; init; } = [];

    /// <summary>How often it was boot-confirmed on a rollout's image.</summary>
    [Id(22)] public int Installs { get; init; }

    /// <summary>Where it is, when an operator said so since the delivery; null for <see cref="ExpectedDevice.Site"/>.</summary>
    [Id(23)] public string? MovedTo { get; init; }

    /// <summary>What operators note of it, by name, each name once; at most <see cref="DeviceEdits.LabelsMax"/>.</summary>
    [Id(24)] public ImmutableArray<DeviceLabel> Labels { get; init; } = [];

    /// <summary>
    /// What the fleet CA issued to it: the current certificate last, before it the one that it replaced; at most
    /// <see cref="CertificateRules.CertificatesMax"/>. The last one stays when it has ended: a lapse is told from a first certificate.
    /// </summary>
    [Id(25)] public ImmutableArray<OperationalCertificate> Certificates { get; init; } = [];

    /// <summary>What it must not be let in by although it has not ended; at most <see cref="CertificateRules.RevokedMax"/>.</summary>
    [Id(26)] public ImmutableArray<RevokedCertificate> RevokedCertificates { get; init; } = [];

    /// <summary>The last hello that was news; null before the first.</summary>
    public HelloEvidence? LastHello
    {
        get => _lastHelloAt == 0 ? null : new HelloEvidence(new DateTimeOffset(_lastHelloAt, TimeSpan.Zero), _lastHelloBy);
        init => StoredLastHello = value;
    }

    /// <summary>
    /// The only certificate it may enrol with (SHA-256 of the DER form, 64 lower-case hex digits); null when nobody named one, and
    /// once it is in service, when <see cref="Identity"/> says it.
    /// </summary>
    [Id(28)] public string? ExpectedCertificateSha256 { get; init; }

    /// <summary>What its enrolment rests on; null before it, and for devices that enrolled before evidence was kept.</summary>
    [Id(50)] public EnrollmentEvidence? Enrollment { get; init; }

    /// <summary>What its newest hello shows that should not be, each kind once.</summary>
    [Id(55)] public ImmutableArray<TrustFinding> Findings { get; init; } = [];

    /// <summary>Why its identity may be used twice; null when nothing is suspected.</summary>
    [Id(56)] public CloneSuspicion? Suspicion { get; init; }

    /// <summary>
    /// What was presented when a suspicion was raised that an operator dismissed, the newest last; at most
    /// <see cref="SuspectedPair.DismissedMax"/>.
    /// </summary>
    [Id(164)] public ImmutableArray<Sha256Hash> DismissedPairs { get; init; } = [];

    /// <summary>Who quarantined it; null when it is not, and of a quarantine that is older than this member: an operator's.</summary>
    [Id(57)] public QuarantineOrder? Quarantine { get; init; }

    /// <summary>What the device said is wrong with itself, oldest first; at most <see cref="DeviceAlarms.AlarmsMax"/>.</summary>
    [Id(70)] public ImmutableArray<DeviceAlarm> Alarms { get; init; } = [];

    /// <summary>The pace of changes of <see cref="Alarms"/>: when all of <see cref="DeviceAlarms.ChangesAtOnce"/> are free again.</summary>
    [Id(71)] public DateTimeOffset AlarmsPacedUntil
    {
        get => new(_alarmsPacedUntil, TimeSpan.Zero);
        internal set => _alarmsPacedUntil = value.UtcTicks;
    }

    /// <summary>
    /// Why it was not let in while it was expected, or as a tombstone: each reason once, the newest last; at most
    /// <see cref="DeviceRefusals.RefusalsMax"/>. None once it is in service.
    /// </summary>
    [Id(171)] public ImmutableArray<DeviceRefusal> Refusals { get; init; } = [];

    /// <summary>Where it is; empty when nobody said.</summary>
    public string Site => MovedTo ?? Expected.Site;

    /// <summary>Reported settings: the cold part, stored in a field of its own.</summary>
    public SettingSet Settings { get; init; } = SettingSet.Empty;

    // The generated serializer sets what is not kept by the property itself through these.
    [Id(3)] internal DateTimeOffset StoredStateChangedAt
    {
        get => StateChangedAt;
        set => _stateChangedAt = value.UtcTicks;
    }

    [Id(6)] internal DateTimeOffset StoredCreatedAt
    {
        get => CreatedAt;
        set => _createdAt = value.UtcTicks;
    }

    [Id(27)] internal HelloEvidence? StoredLastHello
    {
        get => LastHello;
        set => (_lastHelloAt, _lastHelloBy) = (value?.At.UtcTicks ?? 0, value?.By ?? default);
    }
}

/// <summary>A boot and the highest sequence seen per kind of message.</summary>
/// <param name="BootId">The boot.</param>
/// <param name="Hello">Highest sequence of <see cref="UpKind.Hello"/>; 0 for none.</param>
/// <param name="Report">Highest of <see cref="UpKind.Report"/>.</param>
/// <param name="Inventory">The last 32 sequences of <see cref="UpKind.Inventory"/>: a gap is not a repetition.</param>
/// <param name="Result">The last 32 sequences of <see cref="UpKind.Result"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.boot-sequences")]
public sealed record BootSequences(
    [property: Id(0)] string BootId,
    [property: Id(1)] long Hello,
    [property: Id(2)] long Report,
    [property: Id(3)] SequenceWindow Inventory,
    [property: Id(4)] SequenceWindow Result);

/// <summary>Which of the last 32 sequences were seen: bit n of the mask is <c>Highest - n</c>.</summary>
[GenerateSerializer, Immutable, Alias("muster.sequence-window")]
public readonly record struct SequenceWindow([property: Id(0)] long Highest, [property: Id(1)] uint Seen)
{
    /// <summary>How far back a late message still counts as news.</summary>
    public const int Width = 32;

    /// <summary>True when the sequence was seen, or is too old to tell.</summary>
    public bool Contains(long sequence) =>
        sequence <= Highest && (Highest - sequence >= Width || (Seen & (1u << (int)(Highest - sequence))) != 0);

    public SequenceWindow With(long sequence)
    {
        if (sequence > Highest)
        {
            var shift = sequence - Highest;
            return new SequenceWindow(sequence, (shift >= Width ? 0 : Seen << (int)shift) | 1u);
        }

        var back = Highest - sequence;
        return back >= Width ? this : this with { Seen = Seen | (1u << (int)back) };
    }
}
