using Google.Protobuf.Reflection;
using Muster.Domain.Anchors;
using Muster.Domain.Decommissioning;
using Muster.Domain.Deliveries;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Operators;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using Muster.Domain.Warranty;
using Muster.Gateway.Grpc;
using Muster.Gateway.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Every method has a role, every request a validator, every enum value its twin.</summary>
public sealed class CatalogueTests
{
    private static readonly FileDescriptor[] Files =
    [
        V1.DevicesReflection.Descriptor, V1.WarrantyReflection.Descriptor, V1.ImagesReflection.Descriptor, V1.RolloutsReflection.Descriptor,
        V1.PoliciesReflection.Descriptor, V1.ProductsReflection.Descriptor, V1.DecommissionsReflection.Descriptor,
        V1.OperatorsReflection.Descriptor, V1.MaintenanceReflection.Descriptor, V1.TransfersReflection.Descriptor,
        V1.DeliveriesReflection.Descriptor, V1.TrustReflection.Descriptor, V1.AnchorsReflection.Descriptor,
        V1.EnrollmentsReflection.Descriptor, V1.SerialsReflection.Descriptor,
        V1.CataloguesReflection.Descriptor, V1.StrategiesReflection.Descriptor,
    ];

    [Fact]
    public void Actions_OfAllMethods_AreListedAndNothingElseIs()
    {
        var methods = Files.SelectMany(file => file.Services).SelectMany(service => service.Methods)
            .Select(method => $"/{method.Service.FullName}/{method.Name}");

        Assert.Equal(
            methods.Order(),
            OperatorMethods.Actions.Keys.Where(key => key.StartsWith("/muster.", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain(OperatorAction.Unspecified, OperatorMethods.Actions.Values);
    }

    [Fact]
    public void Validators_OfAllRequests_Exist()
    {
        var requests = Files.SelectMany(file => file.Services).SelectMany(service => service.Methods)
            .Select(method => method.InputType.ClrType);

        Assert.Equal(
            requests.Distinct().Select(type => type.Name).Order(),
            OperatorsApiExtensions.CreateValidators().Types.Select(type => type.Name).Order());
    }

    [Fact]
    public void Enums_OfTheApi_HaveTheNumbersOfTheDomain()
    {
        AssertTwins<DeviceState, V1.DeviceState>();
        AssertTwins<ComplianceState, V1.ComplianceState>();
        AssertTwins<DisconnectReason, V1.DisconnectReason>();
        AssertTwins<AlarmKind, V1.AlarmKind>();
        AssertTwins<EnrollmentApproval, V1.EnrollmentApproval>();
        AssertTwins<Muster.Domain.Enrollments.EnrollmentRequestState, V1.EnrollmentState>();
        AssertTwins<WarrantyStatus, V1.WarrantyStatus>();
        AssertTwins<WarrantyReviewState, V1.WarrantyReviewState>();
        AssertTwins<SupportStatus, V1.SupportStatus>();
        AssertTwins<DecommissionState, V1.DecommissionState>();
        AssertTwins<OperatorRole, V1.OperatorRole>();
        AssertTwins<DeliveryState, V1.DeliveryState>();
        AssertTwins<WaveState, V1.WaveState>();
        AssertTwins<AnchorProfile, V1.AnchorProfile>();
        AssertTwins<Muster.Domain.Serials.SerialState, V1.SerialState>();
    }

    [Fact]
    public void ToApi_OfAllRolloutStates_KeepsTheName()
    {
        Assert.All(Enum.GetValues<RolloutState>(), state => Assert.Equal(state.ToString(), RolloutsMapping.ToApi(state).ToString()));
        Assert.Equal(Enum.GetValues<RolloutState>().Length, Enum.GetValues<V1.RolloutState>().Length);
    }

    private static void AssertTwins<TDomain, TApi>()
        where TDomain : struct, Enum
        where TApi : struct, Enum
    {
        static IEnumerable<string> Pairs<T>()
            where T : struct, Enum => Enum.GetValues<T>().Select(value => $"{Convert.ToInt32(value, null)} {value}");

        Assert.Equal(Pairs<TDomain>(), Pairs<TApi>());
    }
}
