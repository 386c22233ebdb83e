using System.Collections.Frozen;
using Muster.Domain.Operators;

namespace Muster.Gateway.Grpc;

/// <summary>What class of call every method of the API is; a method that is not here is allowed to nobody.</summary>
internal static class OperatorMethods
{
    private const string Package = "/muster.v1.";

    /// <summary>Work on all tenants at once: it is for operators of the tenant <c>default</c>, whose host the installation is.</summary>
    public static FrozenSet<string> InstallationWide { get; } = new[]
    {
        Package + "Maintenance/VerifyInventory",
        Package + "Maintenance/RebuildInventory",
        Package + "Serials/GetSerial",
        Package + "Serials/ListSerials",
        Package + "Serials/AssignSerial",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static FrozenDictionary<string, OperatorAction> Actions { get; } = new Dictionary<string, OperatorAction>
    {
        [Package + "Devices/GetDevice"] = OperatorAction.Read,
        [Package + "Devices/ListDevices"] = OperatorAction.Read,
        [Package + "Devices/CountDevices"] = OperatorAction.Read,
        [Package + "Devices/CreateDevice"] = OperatorAction.Operate,
        [Package + "Devices/EditDevices"] = OperatorAction.Operate,
        [Package + "Devices/ApproveDevice"] = OperatorAction.Approve,
        [Package + "Devices/DenyDevice"] = OperatorAction.Approve,
        [Package + "Devices/WithdrawDevice"] = OperatorAction.Operate,
        [Package + "Devices/QuarantineDevice"] = OperatorAction.Operate,
        [Package + "Devices/ReleaseDevice"] = OperatorAction.Operate,
        [Package + "Devices/WatchDevices"] = OperatorAction.Read,
        [Package + "Warranties/GetWarranty"] = OperatorAction.Read,
        [Package + "Warranties/ListWarranties"] = OperatorAction.Read,
        [Package + "Warranties/UpdateWarranty"] = OperatorAction.Operate,
        [Package + "Warranties/CloseWarrantyReview"] = OperatorAction.Operate,
        [Package + "Images/GetImage"] = OperatorAction.Read,
        [Package + "Images/ListImages"] = OperatorAction.Read,
        [Package + "Images/UploadImage"] = OperatorAction.Operate,
        [Package + "Rollouts/GetRollout"] = OperatorAction.Read,
        [Package + "Rollouts/ListRollouts"] = OperatorAction.Read,
        [Package + "Rollouts/CreateRollout"] = OperatorAction.Operate,
        [Package + "Rollouts/StartRollout"] = OperatorAction.Operate,
        [Package + "Rollouts/PauseRollout"] = OperatorAction.Operate,
        [Package + "Rollouts/ResumeRollout"] = OperatorAction.Operate,
        [Package + "Rollouts/CancelRollout"] = OperatorAction.Operate,
        [Package + "Rollouts/WatchRollout"] = OperatorAction.Read,
        [Package + "Policies/GetPolicy"] = OperatorAction.Read,
        [Package + "Policies/ListPolicies"] = OperatorAction.Read,
        [Package + "Policies/CreatePolicy"] = OperatorAction.Operate,
        [Package + "Policies/UpdatePolicy"] = OperatorAction.Operate,
        [Package + "Products/GetProduct"] = OperatorAction.Read,
        [Package + "Products/ListProducts"] = OperatorAction.Read,
        [Package + "Products/CreateProduct"] = OperatorAction.Operate,
        [Package + "Products/UpdateProduct"] = OperatorAction.Operate,
        [Package + "Decommissions/GetDecommission"] = OperatorAction.Read,
        [Package + "Decommissions/ListDecommissions"] = OperatorAction.Read,
        [Package + "Decommissions/RequestDecommission"] = OperatorAction.Operate,
        [Package + "Decommissions/ApproveDecommission"] = OperatorAction.Approve,
        [Package + "Decommissions/CancelDecommission"] = OperatorAction.Operate,
        [Package + "Operators/GetOperator"] = OperatorAction.Read,
        [Package + "Operators/ListOperators"] = OperatorAction.Read,
        [Package + "Operators/CreateOperator"] = OperatorAction.Administer,
        [Package + "Operators/WhoAmI"] = OperatorAction.Read,
        [Package + "Maintenance/VerifyInventory"] = OperatorAction.Administer,
        [Package + "Maintenance/RebuildInventory"] = OperatorAction.Administer,
        [Package + "Transfers/ExportTenant"] = OperatorAction.Administer,
        [Package + "Transfers/ImportTenant"] = OperatorAction.Administer,
        [Package + "Deliveries/ImportDelivery"] = OperatorAction.Operate,
        [Package + "Deliveries/GetDelivery"] = OperatorAction.Read,
        [Package + "Deliveries/ListDeliveries"] = OperatorAction.Read,
        [Package + "Trust/GetTrustRules"] = OperatorAction.Read,
        [Package + "Trust/UpdateTrustRules"] = OperatorAction.Administer,
        [Package + "Trust/ResolveSuspicions"] = OperatorAction.Operate,
        [Package + "Anchors/GetAnchor"] = OperatorAction.Read,
        [Package + "Anchors/ListAnchors"] = OperatorAction.Read,
        [Package + "Anchors/AddAnchor"] = OperatorAction.Administer,
        [Package + "Anchors/RemoveAnchor"] = OperatorAction.Administer,
        [Package + "Enrollments/GetEnrollment"] = OperatorAction.Read,
        [Package + "Enrollments/ListEnrollments"] = OperatorAction.Read,
        [Package + "Enrollments/ApproveEnrollment"] = OperatorAction.Approve,
        [Package + "Enrollments/DenyEnrollment"] = OperatorAction.Approve,
        [Package + "Serials/GetSerial"] = OperatorAction.Administer,
        [Package + "Serials/ListSerials"] = OperatorAction.Administer,
        [Package + "Serials/AssignSerial"] = OperatorAction.Administer,
        ["/grpc.health.v1.Health/Check"] = OperatorAction.Read,
        ["/grpc.health.v1.Health/List"] = OperatorAction.Read,
        ["/grpc.health.v1.Health/Watch"] = OperatorAction.Read,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = OperatorAction.Read,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = OperatorAction.Read,
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
