using System.Globalization;

namespace Muster.Domain.Rollouts;

/// <summary>The refusals of rollouts; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class RolloutErrors
{
    public const string NotFoundReason = "NOT_FOUND";
    public const string ExistsReason = "ALREADY_EXISTS";
    public const string RequestIdReusedReason = "REQUEST_ID_REUSED";
    public const string SpecInvalidReason = "ROLLOUT_SPEC_INVALID";
    public const string NoDevicesReason = "ROLLOUT_MATCHES_NO_DEVICE";
    public const string WrongStateReason = "ROLLOUT_STATE_INVALID";
    public const string OverrideRequiredReason = "ROLLOUT_OVERRIDE_REQUIRED";
    public const string ReasonRequiredReason = "REQUEST_INVALID";

    public static FleetError NotFound(string rollout) => FleetError.Of(
        ErrorKind.NotFound, NotFoundReason, $"There is no rollout '{rollout}'.", ("rollout", rollout));

    /// <summary>The request id belongs to another request.</summary>
    public static FleetError RequestIdReused(string rollout, string requestId) => FleetError.Of(
        ErrorKind.AlreadyExists,
        RequestIdReusedReason,
        $"The request id '{requestId}' created rollout '{rollout}' with another content.",
        ("rollout", rollout),
        ("request_id", requestId));

    public static FleetError Exists(string rollout) => FleetError.Of(
        ErrorKind.AlreadyExists, ExistsReason, $"There already is a rollout '{rollout}'.", ("rollout", rollout));

    /// <summary>All problems at once; the metadata has one entry per field.</summary>
    public static FleetError SpecInvalid(ImmutableArray<SpecProblem> problems) => new(
        ErrorKind.Invalid,
        SpecInvalidReason,
        "The rollout cannot be created: " + string.Join("; ", problems.Select(problem => $"{problem.Field}: {problem.Text}")) + ".",
        [.. problems.Select(problem => new ErrorDetail(problem.Field, problem.Text))]);

    public static FleetError NoDevices(string rollout, string filter) => FleetError.Of(
        ErrorKind.Precondition,
        NoDevicesReason,
        $"No device in service matches the filter '{filter}' of rollout '{rollout}'.",
        ("rollout", rollout),
        ("filter", filter));

    /// <summary>The verb is not possible in this state.</summary>
    public static FleetError WrongState(string rollout, RolloutState state, string verb) => FleetError.Of(
        ErrorKind.Precondition,
        WrongStateReason,
        $"Rollout '{rollout}' is {state}; it cannot be {verb}.",
        ("rollout", rollout),
        ("state", state.ToString()),
        ("verb", verb));

    /// <summary>A gate suspended it: going on is a decision that somebody takes with a reason.</summary>
    public static FleetError OverrideRequired(string rollout) => FleetError.Of(
        ErrorKind.Precondition,
        OverrideRequiredReason,
        $"A gate suspended rollout '{rollout}'; resume it with an override and a reason, or cancel it.",
        ("rollout", rollout));

    public static FleetError ReasonRequired(string rollout) => FleetError.Of(
        ErrorKind.Invalid,
        ReasonRequiredReason,
        $"An override of rollout '{rollout}' needs a reason of 1 to {RolloutLimits.ReasonCharactersMax} characters.",
        ("rollout", rollout),
        ("charactersMax", RolloutLimits.ReasonCharactersMax.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Devices keep no values of settings from before.</summary>
    public static FleetError SettingsNotRolledBack(string rollout) => FleetError.Of(
        ErrorKind.Precondition,
        "SETTINGS_NOT_ROLLED_BACK",
        $"Rollout '{rollout}' changes settings, and what was set before is not kept: cancel it, and order a rollout of the values to have.",
        ("rollout", rollout));

    // --- Filters and strata of waves ---

    /// <summary>The waves have more strata than a plan may hold.</summary>
    public static FleetError TooManyStrata(string rollout, ImmutableArray<WaveSpec> waves)
    {
        var fields = string.Join(", ", WaveSorting.FieldsOf(waves));
        return FleetError.Of(
            ErrorKind.Precondition,
            "ROLLOUT_STRATA_TOO_MANY",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The waves of rollout '{rollout}' have more than {StratumCut.StrataMax} strata together, by {fields}:")
                + " stratify by fields with fewer values, by fewer fields, or fewer waves.",
            ("rollout", rollout),
            ("fields", fields),
            ("strataMax", StratumCut.StrataMax.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>The members differ in too many ways that the waves tell apart.</summary>
    public static FleetError TooManyClasses(string rollout, ImmutableArray<WaveSpec> waves)
    {
        var (fields, filters) = (string.Join(", ", WaveSorting.FieldsOf(waves)), waves.Count(wave => wave.HasFilter));
        return FleetError.Of(
            ErrorKind.Precondition,
            "ROLLOUT_CLASSES_TOO_MANY",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The devices of rollout '{rollout}' are of more than {MemberClass.ClassesMax} kinds by the filters of {filters} waves")
                + (fields.Length == 0 ? "" : $" and by {fields}")
                + ": use fields with fewer values, or fewer waves with a filter.",
            ("rollout", rollout),
            ("fields", fields),
            ("filters", filters.ToString(CultureInfo.InvariantCulture)),
            ("classesMax", MemberClass.ClassesMax.ToString(CultureInfo.InvariantCulture)));
    }

    // --- Retrying the rest ---
    public const string NotEndedReason = "ROLLOUT_NOT_ENDED";
    public const string HasNoRestReason = "ROLLOUT_HAS_NO_REST";
    public const string NothingToRetryReason = "ROLLOUT_NOTHING_TO_RETRY";
    public const string MembersUnknownReason = "ROLLOUT_MEMBERS_UNKNOWN";

    /// <summary>Who does not succeed is known at the end only.</summary>
    public static FleetError NotEnded(string rollout, RolloutState state) => FleetError.Of(
        ErrorKind.Precondition,
        NotEndedReason,
        $"Rollout '{rollout}' is {state}; its rest is retried when it has ended: wait for that, or cancel it.",
        ("rollout", rollout),
        ("state", state.ToString()));

    /// <summary>It never had members, or they were brought back from the change.</summary>
    public static FleetError HasNoRest(string rollout, RolloutState state) => FleetError.Of(
        ErrorKind.Precondition,
        HasNoRestReason,
        $"Rollout '{rollout}' is {state}, and was never started or was rolled back: it has no rest. Create a rollout with its filter.",
        ("rollout", rollout),
        ("state", state.ToString()));

    public static FleetError NothingToRetry(string rollout, string filter) => FleetError.Of(
        ErrorKind.Precondition,
        NothingToRetryReason,
        $"No member of rollout '{rollout}' that did not succeed is in service and matches the filter '{filter}': nothing is left to retry.",
        ("rollout", rollout),
        ("filter", filter));

    /// <summary>It ended under a version that did not keep them, or its shares went with their store.</summary>
    public static FleetError MembersUnknown(string rollout) => FleetError.Of(
        ErrorKind.Precondition,
        MembersUnknownReason,
        $"How the members of rollout '{rollout}' ended is not kept: create a rollout with its filter. Who has the change is skipped.",
        ("rollout", rollout));

    // --- Approvals ---
    public const string WaveNotAwaitingReason = "ROLLOUT_WAVE_NOT_AWAITING_APPROVAL";
    public const string WaveChangedReason = "ROLLOUT_WAVE_CHANGED";
    public const string NotApprovedReason = "ROLLOUT_NOT_APPROVED";
    public const string DowngradeNotApprovedReason = "ROLLOUT_DOWNGRADE_NOT_APPROVED";
    public const string DowngradesUnknownReason = "ROLLOUT_DOWNGRADES_UNKNOWN";
    public const string SpecChangedReason = "ROLLOUT_SPEC_CHANGED";

    /// <summary>Too few operators have approved the spec as it is.</summary>
    public static FleetError NotApproved(string rollout, int approvals, int needed) => FleetError.Of(
        ErrorKind.Precondition,
        NotApprovedReason,
        string.Create(
            CultureInfo.InvariantCulture,
            $"Rollout '{rollout}' has {approvals} of the {needed} approvals that it needs before it can be started."),
        ("rollout", rollout),
        ("approvals", approvals.ToString(CultureInfo.InvariantCulture)),
        ("needed", needed.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Too few operators have approved it for the devices that it would take to an older version.</summary>
    public static FleetError DowngradeNotApproved(Rollout rollout, int needed)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var approvals = rollout.ValidApprovals.Length;
        return FleetError.Of(
            ErrorKind.Precondition,
            DowngradeNotApprovedReason,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Rollout '{rollout.Id}' takes {rollout.Downgrades} of its devices back to {rollout.Spec.TargetVersion}, and has "
                + $"{approvals} of the {needed} approvals that this installation asks for then. Have it approved, or leave the devices out "
                + $"with os_version <= {rollout.Spec.TargetVersion} in its filter."),
            ("rollout", rollout.Id.Value),
            ("devices", rollout.Downgrades.ToString(CultureInfo.InvariantCulture)),
            ("approvals", approvals.ToString(CultureInfo.InvariantCulture)),
            ("needed", needed.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>A partition froze its members and cannot say what they run.</summary>
    public static FleetError DowngradesUnknown(ResourceId rollout) => FleetError.Of(
        ErrorKind.Unavailable,
        DowngradesUnknownReason,
        $"How many devices rollout '{rollout}' takes to an older version is not known of all of them; start it again. If that does not "
        + "help, a silo is of an earlier version: update all of them.",
        ("rollout", rollout.Value));

    /// <summary>The caller has read another spec than the one that is there now.</summary>
    public static FleetError SpecChanged(string rollout) => FleetError.Of(
        ErrorKind.Precondition,
        SpecChangedReason,
        $"Rollout '{rollout}' was edited since you have read it; read it again.",
        ("rollout", rollout));

    public static FleetError EditorsFull(string rollout) => FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Rollout '{rollout}' was edited by {RolloutLimits.EditorsMax} operators already; create another one."),
        ("limit", RolloutLimits.EditorsMax.ToString(CultureInfo.InvariantCulture)));

    /// <summary>There is nothing to approve: no such wave, or it waits for no approver, or for none any more.</summary>
    public static FleetError WaveNotAwaiting(string rollout, int wave, WavePlan? known)
    {
        var state = known switch
        {
            null => "not there",
            { State: WaveState.AwaitingApproval, Approval: { } approval } => $"approved by {approval.Approver} already",
            _ => known.State.ToString(),
        };
        return FleetError.Of(
            ErrorKind.Precondition,
            WaveNotAwaitingReason,
            string.Create(CultureInfo.InvariantCulture, $"Wave {wave} of rollout '{rollout}' waits for no approver; it is {state}."),
            ("rollout", rollout),
            ("wave", wave.ToString(CultureInfo.InvariantCulture)),
            ("state", state));
    }

    public static FleetError WaveNotFound(string rollout, int wave) => FleetError.Of(
        ErrorKind.NotFound,
        NotFoundReason,
        string.Create(CultureInfo.InvariantCulture, $"Rollout '{rollout}' has no wave {wave}; they count from 0."),
        ("rollout", rollout),
        ("wave", wave.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The approver has seen another result than the one that is there now.</summary>
    public static FleetError WaveChanged(string rollout, int wave) => FleetError.Of(
        ErrorKind.Precondition,
        WaveChangedReason,
        string.Create(
            CultureInfo.InvariantCulture,
            $"Wave {wave} of rollout '{rollout}' is not as you have seen it: devices failed, or it was stopped meanwhile. Read it again."),
        ("rollout", rollout),
        ("wave", wave.ToString(CultureInfo.InvariantCulture)));

    public static FleetError ApproverIsAuthor(string rollout, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_IS_REQUESTER",
        $"'{approver}' wrote the rollout '{rollout}'; somebody else has to approve it.",
        ("approver", approver),
        ("rollout", rollout));

    public static FleetError ApproverRoleMissing(string rollout, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_ROLE_MISSING",
        $"'{approver}' has not the role approver, which approving rollout '{rollout}' needs.",
        ("approver", approver),
        ("rollout", rollout));
}
