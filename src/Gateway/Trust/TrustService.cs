using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Devices;
using Muster.Contracts.Trust;
using Muster.Gateway.Devices;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Trust;

/// <summary>The rules of continuous trust, and what operators make of suspicions.</summary>
internal sealed class TrustService(IGrainFactory grains, RowLister lister) : V1.Trust.TrustBase
{
    /// <summary>Every state of a suspicion but none.</summary>
    private const string Suspected = "(suspicion = REPORTED OR suspicion = QUARANTINED OR suspicion = WAITING OR suspicion = CONFIRMED)";

    public override async Task<V1.TrustRules> GetTrustRules(V1.GetTrustRulesRequest request, ServerCallContext context)
    {
        var tenant = TrustMapping.TryParseName(request.Name, out var parsed) ? parsed : throw new FormatException(request.Name);
        return TrustMapping.ToApi(tenant, await grains.GetTrust(tenant).GetRulesAsync());
    }

    public override async Task<V1.TrustRules> UpdateTrustRules(V1.UpdateTrustRulesRequest request, ServerCallContext context)
    {
        var tenant = TrustMapping.TryParseName(request.Rules.Name, out var parsed) ? parsed : throw new FormatException(request.Rules.Name);
        var command = new SetTrustRules(Caller.Of(context).Actor, TrustMapping.ToRules(request.Rules));
        var reply = await grains.GetTrust(tenant).SetRulesAsync(command);
        return reply is { Rules: { } rules, Error: null }
            ? TrustMapping.ToApi(tenant, rules)
            : throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException("Neither rules nor an error."));
    }

    public override async Task<V1.ResolveSuspicionsResponse> ResolveSuspicions(
        V1.ResolveSuspicionsRequest request, ServerCallContext context)
    {
        var command = new ResolveSuspicion(
            Caller.Of(context).Actor, request.Answer == V1.SuspicionAnswer.Confirm, request.Cause);
        var filter = request.Filter == TrustValidators.All ? Suspected : $"{Suspected} AND ({request.Filter})";
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Device, filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var outcome = await DevicePage.SendAsync(
            page, (tenant, device) => grains.GetDeviceTrust(tenant, device).ResolveAsync(command), context.CancellationToken);
        return new V1.ResolveSuspicionsResponse
        {
            Resolved = outcome.Done,
            Unchanged = outcome.Unchanged,
            Refused = outcome.Refused,
            NextPageToken = page.NextPageToken,
        };
    }
}

/// <summary>What requests of the trust service have to look like.</summary>
internal static class TrustValidators
{
    /// <summary>AIP-165: what says that every suspected device is meant.</summary>
    public const string All = "*";

    private const string Actions = "IGNORE, REPORT or QUARANTINE";

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetTrustRulesRequest>((request, problems) => CheckName("name", request.Name, problems))
        .Add<V1.UpdateTrustRulesRequest>(CheckRules)
        .Add<V1.ResolveSuspicionsRequest>((request, problems) =>
        {
            problems.Page(request.Parent, request.PageSize, request.PageToken);
            problems.Require(request.Filter.Length > 0, "filter", "is required; * for all that are suspected");
            problems.Require(
                request.Answer is V1.SuspicionAnswer.Confirm or V1.SuspicionAnswer.Dismiss, "answer", "CONFIRM or DISMISS");
            problems.Length("cause", request.Cause, 1, Problems.CauseLengthMax);
        });

    private static void CheckRules(V1.UpdateTrustRulesRequest request, Problems problems)
    {
        if (request.Rules is not { } rules)
        {
            problems.Add("rules", "is required");
            return;
        }

        CheckName("rules.name", rules.Name, problems);
        Check("secure_boot_lost", rules.SecureBootLost, problems);
        Check("image_unknown", rules.ImageUnknown, problems);
        Check("os_below_floor", rules.OsBelowFloor, problems);
        Check("custom_firmware_certificate", rules.CustomFirmwareCertificate, problems);
        Check("key_under_two_serials", rules.KeyUnderTwoSerials, problems);
        Check("alternating_boots", rules.AlternatingBoots, problems);
        Check("older_connection_alive", rules.OlderConnectionAlive, problems);
        if (rules.ImageUnnamed != V1.TrustAction.Unspecified)
        {
            Check("image_unnamed", rules.ImageUnnamed, problems);
        }
    }

    private static void Check(string field, V1.TrustAction action, Problems problems) => problems.Require(
        action is V1.TrustAction.Ignore or V1.TrustAction.Report or V1.TrustAction.Quarantine, $"rules.{field}", Actions);

    private static void CheckName(string field, string name, Problems problems)
    {
        if (TrustMapping.TryParseName(name, out var tenant))
        {
            problems.Parent(ResourceNames.Of(tenant));
        }
        else
        {
            problems.Add(field, "has the form tenants/{tenant}/trustRules");
        }
    }
}
