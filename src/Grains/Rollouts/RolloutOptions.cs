using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>How an installation treats its rollouts. Read from the section <c>Muster:Rollouts</c>, of silos.</summary>
public sealed class RolloutOptions
{
    public const string SectionName = "Muster:Rollouts";

    /// <summary>
    /// How many operators with the role approver, other than who created the rollout and who edited it, have to approve its spec before it
    /// is started, whatever the spec itself asks for. Default: 0, the spec decides.
    /// </summary>
    [Range(0, RolloutLimits.ApprovalsMax)]
    public int ApprovalsToStart { get; set; }

    /// <summary>
    /// The same for rollouts to devices that run a newer version than the image's; and a failure gate rolls a rollout back by itself only
    /// with so many. Default: 0, a downgrade needs what every rollout does.
    /// </summary>
    [Range(0, RolloutLimits.ApprovalsMax)]
    public int ApprovalsToDowngrade { get; set; }

    internal ApprovalPolicy Approvals => new(ApprovalsToStart, ApprovalsToDowngrade);
}

[OptionsValidator]
internal sealed partial class RolloutOptionsValidator : IValidateOptions<RolloutOptions>;
