namespace Muster.Domain.Devices;

/// <summary>What would become of an offer if it were made now, and how far the device is with what it has.</summary>
[GenerateSerializer, Immutable, Alias("muster.offer-preview")]
public sealed record OfferPreview
{
    [Id(0)] public required OfferVerdict Verdict { get; init; }

    /// <summary>It would be made; otherwise <see cref="OfferVerdict.InProgress"/> means that it was.</summary>
    [Id(1)] public required bool WouldOffer { get; init; }

    /// <summary>For <see cref="OfferVerdict.Closed"/>.</summary>
    [Id(2)] public ChangeOutcome Outcome { get; init; }

    /// <summary>For an outcome other than success: why.</summary>
    [Id(3)] public string Reason { get; init; } = "";

    /// <summary>Which attempt it speaks of: how many ended before it.</summary>
    [Id(4)] public int Retry { get; init; }

    [Id(5)] public DateTimeOffset? OfferedAt { get; init; }

    /// <summary>When its attempt was offered first, of an offer that went back and was made again; null otherwise.</summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }

    [Id(6)] public DateTimeOffset? DeliveredAt { get; init; }

    [Id(7)] public DateTimeOffset? EndedAt { get; init; }

    [Id(8)] public ChangeStep Step { get; init; }

    /// <summary>Another rollout whose change is in progress; empty for none.</summary>
    [Id(9)] public string BusyWith { get; init; } = "";

    /// <summary>When the offer goes back that no connection has got yet; null for one of which that is not certain, and for none.</summary>
    [Id(110)] public DateTimeOffset? GoesBackAt { get; init; }

    /// <summary>Another rollout that the device is kept for, or will be as soon as it is free; empty for none.</summary>
    [Id(111)] public string KeptFor { get; init; } = "";

    /// <summary>Steps of the attempt that were taken before the offer that it has, or would get.</summary>
    [Id(128)] public int StepsTaken { get; init; }

    /// <summary>Offers of the attempt behind that one, because it is a step to the rollout's image; 0 for that image itself.</summary>
    [Id(129)] public int StepsLeft { get; init; }

    /// <summary>The version of the step that it has, or would get; empty for none.</summary>
    [Id(125)] public string StepVersion { get; init; } = "";

    /// <summary>Whether the device is asked to give its offer up, and what it says.</summary>
    [Id(140)] public RecallState Recall { get; init; }

    /// <summary>When it began to install, of a change with install windows; null before.</summary>
    [Id(120)] public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>When it may begin, of a change that it has and that waits for that; null when it waits for nothing of the kind.</summary>
    [Id(121)] public DateTimeOffset? InstallOpensAt { get; init; }

    /// <summary>The same with what the rollout's change waits for, if the device has it.</summary>
    public OfferPreview WithInstall(Device device, ResourceId rollout, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Change is { } change && change.Rollout == rollout
            ? this with
            {
                InstallsSince = change.InstallsSince,
                InstallOpensAt = DeviceChanges.AwaitsInstall(device) ? InstallTimes.OpensAt(change.InstallWindows, now) : null,
            }
            : this;
    }

    /// <summary>Decides as the offer itself does, and commits nothing.</summary>
    public static OfferPreview Of(Device device, ChangeOffer offer, bool hasSession, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        return Of(device, offer.Rollout, DeviceChanges.Offer(device, offer, hasSession, now));
    }

    /// <summary>What a decision about an offer of the rollout says.</summary>
    public static OfferPreview Of(Device device, ResourceId rollout, OfferDecision decision)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(decision);
        var own = device.Change is { } change && change.Rollout == rollout ? change : null;
        var made = own ?? (decision.Events.IsEmpty ? null : decision.Next.Change);
        return new OfferPreview
        {
            Verdict = decision.Verdict,
            WouldOffer = !decision.Events.IsEmpty,
            Outcome = decision.Outcome,
            Reason = decision.Reason,
            Retry = decision.Retry,
            OfferedAt = own?.OfferedAt,
            FirstOfferedAt = own?.FirstOfferedAt,
            DeliveredAt = own?.DeliveredAt,
            EndedAt = decision.EndedAt,
            Step = own?.Step ?? ChangeStep.Unspecified,
            StepsTaken = made?.StepsTaken ?? 0,
            StepsLeft = made?.StepsLeft ?? 0,
            StepVersion = made is { StepsLeft: > 0 } ? made.Target.Version : "",
            Recall = own switch
            {
                { IsRecallRefused: true } => RecallState.Refused,
                { IsRecalled: true } => RecallState.Asked,
                _ => RecallState.None,
            },
            BusyWith = own is null && device.Change is { } other ? other.Rollout.Value : "",
        };
    }
}

/// <summary>Whether a device is asked to give up an offer of a cancelled rollout.</summary>
public enum RecallState
{
    /// <summary>It is not.</summary>
    None = 0,

    /// <summary>It has not answered.</summary>
    Asked = 1,

    /// <summary>It goes on with the change.</summary>
    Refused = 2,
}
