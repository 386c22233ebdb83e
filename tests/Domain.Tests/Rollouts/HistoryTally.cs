namespace Muster.Domain.Tests.Rollouts;

/// <summary>What histories have to come to, or their invariants say nothing of it.</summary>
internal enum Reached
{
    /// <summary>A rollout is refused a device that is free, and kept for another one.</summary>
    KeptForAnother,

    /// <summary>Another rollout is, for this one.</summary>
    KeptForThis,

    /// <summary>An offer of this rollout that nobody was told of makes room for a newer rollout's.</summary>
    SupersededOffer,

    /// <summary>A device is left out because a newer rollout has been there.</summary>
    SupersededMember,

    /// <summary>An offer of an older rollout makes room for this one's.</summary>
    SupersedesAnother,

    /// <summary>A permit that nobody knows to be an offer, whose device says that the offer has ended with an outcome.</summary>
    UnconfirmedEnded,

    /// <summary>The same of one that went back: the member waits again.</summary>
    UnconfirmedWentBack,

    /// <summary>Asked about such a permit, the device tells of the offer before it, of which the share knew.</summary>
    UnconfirmedToldAgain,

    /// <summary>A device whose share does not know that it was offered anything is asked to give it up.</summary>
    UnconfirmedRecalled,

    /// <summary>A device leaves service that has an outcome.</summary>
    LeftBehindAnOutcome,

    /// <summary>A device leaves service that has none.</summary>
    LeftBefore,

    /// <summary>An attempt is offered for the first time.</summary>
    FirstOffer,

    /// <summary>An attempt is offered again, because its offer went back.</summary>
    OfferAgain,

    /// <summary>A member is not waited for any more that could be offered something, because its first offer was too long ago.</summary>
    GivenUpThere,

    /// <summary>A permit is given up of which nobody knows what became of it.</summary>
    Lost,

    /// <summary>A step is revoked, and an offer of it that was not named is taken back.</summary>
    StepTakenBack,

    /// <summary>Its device has named it, and goes on.</summary>
    RevokedStepGoesOn,

    /// <summary>Who is left out so is offered the way back.</summary>
    StepTakenBackTurned,
}

/// <summary>How often the histories of a test came to each.</summary>
internal sealed class HistoryTally
{
    private readonly long[] _counts = new long[Enum.GetValues<Reached>().Length];

    /// <summary>From several threads.</summary>
    public void Add(RolloutWorld world)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            Interlocked.Add(ref _counts[i], world.CountOf((Reached)i));
        }
    }

    public long this[Reached what] => Interlocked.Read(ref _counts[(int)what]);
}
