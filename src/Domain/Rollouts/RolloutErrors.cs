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
}
