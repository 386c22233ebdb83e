using Grpc.Core;
using Muster.Protocol.V1;
using Muster.Simulator.Fleet;

namespace Muster.Simulator.Demo;

/// <summary>The delivery list, the devices that enrol, and those that must not.</summary>
internal sealed class EnrolmentSteps(Ground ground, Func<Task> deliveryListed)
{
    public const string Name = "enrolment";

    private const string Refusal = "refusal";

    private readonly HashSet<string> _outOfWarranty = [.. ground.OutOfWarranty];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("Enrolment");
        var others = Misfit.All.Where(misfit => misfit.IsExpected).Select(misfit => misfit.Serial);
        var spare = ground.Plan.Broken == BreakStep.TombstoneLetIn ? [FleetOptions.SpareSerial] : Array.Empty<string>();
        await Pace.ForEachAsync([.. ground.Serials, .. others, .. spare], ExpectAsync, cancellationToken);
        await deliveryListed();
        ground.Tally.Enrolled = await ground.CountAsync(Name, "in service", "state=IN_SERVICE", ground.Devices, cancellationToken);
        await ground.CompareAsync(Name, "enrolled", ground.Tally.Enrolled, story => story.Hello.Boot.Length > 0, cancellationToken);
        await RefusalsAsync(cancellationToken);
    }

    private async Task ExpectAsync(string serial, CancellationToken cancellationToken)
    {
        var today = ground.Time.GetUtcNow();
        var warranty = _outOfWarranty.Contains(serial)
            ? new Warranty { StartsOn = today.AddYears(-4).ToString("yyyy-MM-dd"), TermMonths = 36 }
            : new Warranty { StartsOn = today.ToString("yyyy-MM-dd"), TermMonths = 60 };
        await ground.Requester.Devices.CreateDeviceAsync(
            new CreateDeviceRequest
            {
                Parent = Ground.Parent,
                DeviceId = serial,
                RequestId = $"demo-{serial}",
                Device = new Device
                {
                    Model = Ground.Model,
                    Track = "active",
                    Site = "Lund",
                    OsFloor = "12.0",
                    Approval = EnrollmentApproval.Automatic,
                    Warranty = warranty,
                },
            },
            cancellationToken: cancellationToken);
    }

    /// <summary>A device that was told its refusal is not enrolled by the API either.</summary>
    private async Task RefusalsAsync(CancellationToken cancellationToken)
    {
        foreach (var misfit in Misfit.All)
        {
            var told = await ground.Pace.UntilAsync(
                () => Task.FromResult(ground.Witness.Of(misfit.Serial).IsRefusedFor(misfit.Reason) ? 1L : 0L), 1, cancellationToken);
            var isOutside = await IsOutsideAsync(misfit, cancellationToken);
            ground.Stage.Tell($"{misfit.Serial} is {(isOutside ? "refused" : "enrolled")}: {misfit.Reason}");
            ground.Tally.Refused += isOutside ? 1 : 0;
            if (told == 0)
            {
                ground.Findings.Add(Refusal, $"the fleet's own log does not tell that {misfit.Serial} was refused with {misfit.Reason}");
            }
        }

        ground.Findings.Require(Refusal, "refused at enrolment", Misfit.All.Length, ground.Tally.Refused);
    }

    private async Task<bool> IsOutsideAsync(Misfit misfit, CancellationToken cancellationToken)
    {
        try
        {
            var device = await ground.Requester.GetDeviceAsync(misfit.Serial, cancellationToken);
            return misfit.IsExpected && device.State == DeviceState.Expected;
        }
        catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
        {
            return !misfit.IsExpected;
        }
    }
}
