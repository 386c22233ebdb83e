using System.CommandLine;
using Muster.Cli.Anchors;
using Muster.Cli.Catalogues;
using Muster.Cli.Decommissions;
using Muster.Cli.Deliveries;
using Muster.Cli.Devices;
using Muster.Cli.Enrollments;
using Muster.Cli.Images;
using Muster.Cli.Maintenance;
using Muster.Cli.Operators;
using Muster.Cli.Policies;
using Muster.Cli.Products;
using Muster.Cli.Rollouts;
using Muster.Cli.Serials;
using Muster.Cli.Session;
using Muster.Cli.Strategies;
using Muster.Cli.Transfers;
using Muster.Cli.Trust;
using Muster.Cli.Warranty;

namespace Muster.Cli;

/// <summary>The command line: every command is one file in the folder of its resource.</summary>
public static class MusterCommand
{
    /// <summary>Runs one command line and answers with its exit code (<see cref="ExitCodes"/>).</summary>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var parsed = Create().Parse(arguments);
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        var code = await parsed.InvokeAsync(configuration, cancellationToken);
        return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
    }

    internal static RootCommand Create()
    {
        var root = new RootCommand(
            "Muster orchestrates the life of network devices.\n"
            + "Exit codes: 0 done, 1 refused (the reason is on stderr), 2 wrong usage, 3 the server is not reachable.")
        {
            VerbOptions.Profile,
            VerbOptions.Tenant,
            VerbOptions.Output,
        };
        root.Add(Group("devices", "What the fleet consists of.", [
            ListDevices.Create(), GetDevice.Create(), CountDevices.Create(), WatchDevices.Create(), CreateDevice.Create(),
            EditDevices.Create(),
            ApproveDevice.Create(), DenyDevice.Create(), WithdrawDevice.Create(), QuarantineDevice.Create(), ReleaseDevice.Create()]));
        root.Add(Group("deliveries", "Devices that are to come, by the lists of their deliveries.", [
            ImportDelivery.Create(), ListDeliveries.Create(), GetDelivery.Create()]));
        root.Add(Group("enrollments", "Devices that nobody expects, and that ask to be let in.", [
            ListEnrollments.Create(), GetEnrollment.Create(), ApproveEnrollment.Create(), DenyEnrollment.Create()]));
        root.Add(Group("serials", "Serials that several tenants of the installation expect.", [
            ListSerials.Create(), GetSerial.Create(), AssignSerial.Create()]));
        root.Add(Group("images", "Signed OS images.", [
            ImportImage.Create(), ListImages.Create(), GetImage.Create(), EditImage.Create(), PublishImage.Create(),
            RevokeImage.Create(),
            Group("catalogue", "The publisher's signed list of releases.", [
                CatalogueVerbs.CreateGet(), CatalogueVerbs.CreateImport(), CatalogueVerbs.CreateRequire()])]));
        root.Add(Group("rollouts", "Staged rollouts.", [
            CreateRollout.Create(), StartRollout.Create(), WatchRollout.Create(), PauseRollout.Create(), ResumeRollout.Create(),
            CancelRollout.Create(), RollBackRollout.Create(), RetryRest.Create(), ListRollouts.Create(), GetRollout.Create(),
            EditRollout.Create(), ApproveRollout.Create(), ApproveWave.Create(), ExplainRollout.Create(), SimulateRollout.Create(),
            WatchDecisions.Create(), BurnUpRollout.Create()]));
        root.Add(Group("strategies", "Named courses that rollouts are made from, and which sites need which.", [
            ListStrategies.Create(), GetStrategy.Create(), StrategyVersions.Create(), WriteStrategy.Create(), WriteStrategy.Edit(),
            DeleteStrategy.Create(),
            Group("rules", "Which sites need which strategy.", [SiteRulesVerbs.CreateGet(), SiteRulesVerbs.CreateEdit()])]));
        root.Add(Group("policies", "Hardening policies.", [ApplyPolicy.Create(), ListPolicies.Create(), GetPolicy.Create()]));
        root.Add(Group("products", "Products and the end of their support.", [
            CreateProduct.Create(), UpdateProduct.Create(), ListProducts.Create(), GetProduct.Create()]));
        root.Add(Group("decommissions", "The end of devices, with proof of erasure.", [
            ListDecommissions.Create(), GetDecommission.Create(), RequestDecommission.Create(), ApproveDecommission.Create(),
            CancelDecommission.Create()]));
        root.Add(Group("warranty", "The warranty of a device.", [
            GetWarranty.Create(), ListWarranties.Create(), SetWarranty.Create(), CloseWarrantyReview.Create()]));
        root.Add(Group("trust", "What follows when devices show what they should not.", [
            Group("rules", "Per finding and suspicion: ignore, report or quarantine.", [
                TrustRulesVerbs.CreateGet(), TrustRulesVerbs.CreateSet()]),
            Group("suspects", "Devices whose identity may be used twice.", [
                SuspectVerbs.CreateList(), SuspectVerbs.CreateConfirm(), SuspectVerbs.CreateDismiss()])]));
        root.Add(Group("anchors", "The makers whose devices are believed.", [
            AddAnchor.Create(), ListAnchors.Create(), GetAnchor.Create(), RemoveAnchor.Create()]));
        root.Add(Group("operators", "Who may call the API.", [
            RequestOperator.Create(), AddOperator.Create(), AcceptOperator.Create(), ListOperators.Create()]));
        root.Add(Group("admin", "The installation itself: whether it is in order, backup, moving.", [
            VerifyInventory.Create(), RebuildInventory.Create(), ExportTenant.Create(), ImportTenant.Create()]));
        root.Add(WhoAmI.Create());
        return root;
    }

    private static Command Group(string name, string description, IEnumerable<Command> commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
        {
            group.Add(command);
        }

        return group;
    }
}
